//! The private servers: what survives, and what a killed run leaves behind.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::process::Command;

use dev_servers::identity::Identity;
use dev_servers::{Postgres, PostgresOptions, Redis, RedisOptions, folder, ports};
use redis::AsyncCommands;
use sqlx::{Connection, Executor, PgConnection};
use stack::dead_letters::DeadLetters;
use stack::replay::{Selection, replay};
use stack::root;

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

fn options(data: &std::path::Path) -> PostgresOptions {
    PostgresOptions {
        data: data.to_owned(),
        port: ports::free().unwrap(),
        log: data.join("postgres.log"),
        pid_file: data.join("postgres.pid"),
        settings: Vec::new(),
    }
}

async fn run(postgres: &Postgres, sql: &'static str) {
    let mut connection = PgConnection::connect(&postgres.url("postgres")).await.unwrap();
    connection.execute(sql).await.unwrap();
}

#[tokio::test]
async fn data_survives_a_kill_and_a_pid_that_belongs_to_somebody_else_by_now() {
    let data = folder::temporary(None).unwrap();
    let mut postgres = Postgres::start(options(data.path())).await.unwrap();
    run(&postgres, "CREATE TABLE kept (id int)").await;
    postgres.process().kill().await.unwrap();

    let pid_file = data.path().join("postgres/postmaster.pid");
    let stale = std::fs::read_to_string(&pid_file).unwrap();
    let (_, rest) = stale.split_once('\n').unwrap();
    std::fs::write(&pid_file, format!("{}\n{rest}", std::process::id())).unwrap();
    let mut postgres = Postgres::start(options(data.path())).await.unwrap();
    run(&postgres, "INSERT INTO kept VALUES (1)").await;
    postgres.stop().await.unwrap();
    assert!(Identity::of(std::process::id()).unwrap().is_alive());
    folder::remove(data.path(), "postgres").unwrap();
}

#[tokio::test]
async fn postgres_logs_what_failed_but_nobodys_data() {
    let data = folder::temporary(None).unwrap();
    let mut postgres = Postgres::start(options(data.path())).await.unwrap();
    run(&postgres, "CREATE TABLE people (email text CONSTRAINT email_taken UNIQUE)").await;
    let mut connection = PgConnection::connect(&postgres.url("postgres")).await.unwrap();
    for expected in [true, false] {
        let insert = sqlx::query("INSERT INTO people VALUES ($1)").bind("ani@example.com");
        assert_eq!(insert.execute(&mut connection).await.is_ok(), expected);
    }
    postgres.stop().await.unwrap();
    let log = std::fs::read_to_string(data.path().join("postgres.log")).unwrap();
    assert!(log.contains("email_taken") && !log.contains("ani@example.com"), "{log}");
    folder::remove(data.path(), "postgres").unwrap();
}

#[tokio::test]
async fn a_server_that_a_killed_run_left_behind_is_stopped_first() {
    let data = folder::temporary(None).unwrap();
    let mut orphan = Postgres::start(options(data.path())).await.unwrap();
    let mut postgres = Postgres::start(options(data.path())).await.unwrap();
    orphan.process().wait().await.unwrap();
    run(&postgres, "SELECT 1").await;
    postgres.stop().await.unwrap();
    folder::remove(data.path(), "postgres").unwrap();
}

#[tokio::test]
async fn a_persistent_redis_keeps_everything_over_a_kill_and_asks_for_its_password() {
    let folder = folder::temporary(None).unwrap();
    let mut redis = Redis::start(RedisOptions {
        password: Some("a \"quoted\" \\ one".to_owned()),
        persistent: true,
        folder: Some(folder.path().to_owned()),
        ..RedisOptions::default()
    })
    .await
    .unwrap();
    let client = redis::Client::open(redis.url(1)).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let () = connection.set("kept", 7).await.unwrap();
    redis.kill().await.unwrap();
    redis.restart().await.unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    assert_eq!(connection.get::<_, i32>("kept").await.unwrap(), 7);

    let stranger = redis::Client::open(format!("redis://127.0.0.1:{}/1", redis.port())).unwrap();
    let asked: redis::RedisResult<i32> = match stranger.get_multiplexed_async_connection().await {
        Ok(mut connection) => connection.get("kept").await,
        Err(error) => Err(error),
    };
    assert!(asked.is_err());
}

#[test]
fn the_gateway_is_not_started_on_what_is_no_address() {
    let render = |bind: &str, proxies: &str| {
        let output = Command::new("sh")
            .arg(root::find().unwrap().join("nginx/render.sh"))
            .envs([("GATEWAY_BIND", bind), ("GATEWAY_PORT", "8080"), ("TRUSTED_PROXIES", proxies)])
            .output()
            .unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    for bind in ["localhost", "127.0.0.1;", "8080", ""] {
        assert!(render(bind, "").starts_with("gateway: GATEWAY_BIND"), "{bind}");
    }
    for proxies in ["proxy.example", "10.0.0.0/", "10.0.0.0/8;", "10.0.0.0/8/8", "10.1", "::1, dead.beef"] {
        assert!(render("0.0.0.0", proxies).starts_with("gateway: TRUSTED_PROXIES"), "{proxies}");
    }
    for proxies in ["", "10.0.0.0/8", "127.0.0.1, 2001:db8::/32,::1 ,"] {
        assert_eq!(render("::1", proxies), "gateway: RUN_DIR is not set\n", "{proxies}");
    }
}

#[tokio::test]
async fn dead_letters_go_back_onto_their_streams() {
    let redis = Redis::start(RedisOptions::default()).await.unwrap();
    let client = redis::Client::open(redis.url(1)).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    // An event that cannot be read may be of anything.
    let event: [(&[u8], &[u8]); 3] = [(b"event_id", b"7"), (b"note", b"\xff"), (b"\xfe", b"41")];
    let epitaph: [(&[u8], &[u8]); 3] = [(b"group", b"order"), (b"error", b"a bug"), (b"tries", b"10")];
    let letter = [event, epitaph].concat();
    let _: String = connection.xadd("stream:orders:paid:dlq", "*", &letter).await.unwrap();
    let mut letters = DeadLetters::new(Vec::new(), connection.clone());
    assert_eq!(replay(&mut letters, &Selection::default()).await.unwrap(), 1);
    assert_eq!(replay(&mut letters, &Selection::default()).await.unwrap(), 0);
    let mut range = redis::cmd("XRANGE");
    range.arg("stream:orders:paid").arg("-").arg("+");
    let entries: Vec<(String, Fields)> = range.query_async(&mut connection).await.unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].1, event.map(|(name, value)| (name.to_vec(), value.to_vec())));
}
