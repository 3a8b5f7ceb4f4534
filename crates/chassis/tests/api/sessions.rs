//! What a process that has fallen silent leaves behind in PostgreSQL.

use std::time::{Duration, Instant};

use chassis::{Database, database::is_transient};
use sqlx::{PgPool, migrate::Migrator};
use testkit::{Proxy, TestDatabase, Upstream};

/// No lock of a silent process may hold others up for longer.
const BOUND: Duration = Duration::from_secs(15);

async fn database() -> TestDatabase {
    let database = TestDatabase::create("chassis", &Migrator::with_migrations(Vec::new())).await;
    for statement in ["create table rows (id bigint primary key)", "insert into rows values (1)"] {
        sqlx::query(statement).execute(&database.pool).await.unwrap();
    }
    database
}

/// The pool that a service has, connected by way of this port.
fn pool(database: &TestDatabase, port: u16, connections: u32) -> PgPool {
    let config = Database {
        db_host: "127.0.0.1".to_owned(),
        db_port: port,
        db_user: database.options.get_username().to_owned(),
        db_password: "unused".to_owned().into(),
        db_max_connections: connections,
    };
    config.pool(&database.name, "tests")
}

const LOCK_ROW: &str = "select id from rows where id = 1 for update";

#[tokio::test]
async fn a_transaction_that_falls_silent_gives_its_locks_back() {
    let database = database().await;
    let pool = pool(&database, database.options.get_port(), 2);
    let mut silent = pool.begin().await.unwrap();
    sqlx::query(LOCK_ROW).execute(&mut *silent).await.unwrap();
    let asked = Instant::now();
    let locked = tokio::time::timeout(BOUND, sqlx::query(LOCK_ROW).execute(&database.pool)).await;
    locked.unwrap_or_else(|_| panic!("still locked after {:?}", asked.elapsed())).unwrap();

    let late = sqlx::query("insert into rows values (2)").execute(&mut *silent).await.unwrap_err();
    assert!(is_transient(&late), "the caller tries again: {late}");
    drop(silent);
    let rows: i64 = sqlx::query_scalar("select count(*) from rows").fetch_one(&pool).await.unwrap();
    assert_eq!(rows, 1, "and has changed nothing");
}

#[tokio::test]
async fn connections_that_the_network_has_lost_do_not_use_the_pool_up() {
    let database = database().await;
    let network = Proxy::to(Upstream::Port(database.options.get_port())).await.unwrap();
    let pool = pool(&database, network.port(), 2);
    let (mut first, idle) = (pool.acquire().await.unwrap(), pool.acquire().await.unwrap());
    drop(idle);
    network.silence_open();
    let asked = sqlx::query("select 1").execute(&mut *first);
    let answered = tokio::time::timeout(Duration::from_millis(100), asked).await;
    assert!(answered.is_err(), "nobody answers");
    drop(first);
    let both = async {
        while let (one, two) = tokio::join!(pool.acquire(), pool.acquire())
            && (one.is_err() || two.is_err())
        {}
    };
    tokio::time::timeout(BOUND, both).await.expect("the pool has both its places again");
}
