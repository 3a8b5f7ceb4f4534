//! One relay is active. What if it falls silent?

use std::time::Duration;

use contracts::events::Event;
use messaging::{Outbox, Relay, outbox, relay::RelayPolicy};
use redis::{Cmd, InfoDict, cmd};
use sqlx::PgPool;
use testkit::{Proxy, Upstream};
use tokio::time::timeout;

use crate::support::{Logs, Metrics, Ping, RedisServer, Running, World, eventually, relay_policy};

const STREAM: &str = Ping::STREAM.name;
/// Within this another relay has taken over.
const BOUND: Duration = Duration::from_secs(15);

#[tokio::test]
async fn a_relay_that_is_cut_off_from_postgres_is_replaced_in_time_and_stands_by_when_it_is_back() {
    let world = World::new().await;
    let database = world.pool.connect_options();
    let network = Proxy::to(Upstream::Port(database.get_port())).await.unwrap();
    let by_network = PgPool::connect_lazy_with(database.as_ref().clone().port(network.port()));
    let first = world.relay_by(by_network, world.redis.client(), relay_policy());
    world.publish([Ping::new(1)]).await;
    world.wait_until_published().await;
    let second = world.relay();
    network.silence_open();
    world.publish([Ping::new(2)]).await;
    timeout(BOUND, world.wait_until_published()).await.expect("the second publishes");

    network.heal();
    world.publish([Ping::new(3)]).await;
    world.wait_until_published().await;
    second.stop().await;
    world.publish([Ping::new(4)]).await;
    timeout(BOUND, world.wait_until_published()).await.expect("the first has stood by");
    first.stop().await;
    assert_eq!(world.redis.numbers(STREAM).await, [1, 2, 3, 4]);
}

#[tokio::test]
async fn what_another_replica_commits_is_sent_long_before_the_active_relay_looks_by_itself() {
    let (world, peer) = (World::new().await, Outbox::default());
    let rarely = RelayPolicy { poll: Duration::from_secs(4), ..relay_policy() };
    let active = world.relay_with(rarely.clone());
    world.publish([Ping::new(0)]).await;
    world.wait_until_published().await;
    let relay = Relay::new("tester", world.pool.clone(), world.redis.client(), peer.clone(), &[Ping::STREAM]);
    let standby = Running::start(|shutdown| relay.unwrap().policy(rarely).run(shutdown));
    // Each would wait for 2 s on average, and all of them for longer than the bound.
    let commits = async {
        for n in 1..=15 {
            let mut tx = world.pool.begin().await.unwrap();
            outbox::append(&mut tx, Ping::new(n)).await.unwrap();
            peer.commit(tx).await.unwrap();
            world.wait_until_published().await;
        }
    };
    timeout(BOUND, commits).await.expect("the active relay is woken");
    active.stop().await;
    standby.stop().await;
}

/// A relay that sent event 2 before it lost its connection to Redis, and then 2 and 3 by another one. What it sent first
/// is on its way still.
async fn with_a_batch_on_its_way(world: &World) -> (Proxy, Running) {
    let network = Proxy::to(Upstream::Socket(world.redis.socket())).await.unwrap();
    // It compares no marks while it has nothing to send, so that each command of it has a reason.
    let patient = RelayPolicy { check: Duration::from_hours(1), ..relay_policy() };
    let relay = world.relay_by(world.pool.clone(), RedisServer::client_by(network.port()), patient);
    world.publish([Ping::new(1)]).await;
    world.wait_until_published().await;
    world.redis.save().await;
    network.silence_open();
    world.publish([Ping::new(2)]).await;
    eventually("the relay to wait for Redis", async || {
        let waits = "select exists (select from pg_stat_activity join pg_locks using (pid)
            where locktype = 'advisory' and datname = current_database() and state = 'idle'
              and state_change < now() - interval '200 ms')";
        sqlx::query_scalar(waits).fetch_one(&world.pool).await.unwrap()
    })
    .await;
    world.publish([Ping::new(3)]).await;
    world.wait_until_published().await;
    assert_eq!(world.redis.numbers(STREAM).await, [1, 2, 3]);
    (network, relay)
}

#[tokio::test]
async fn a_batch_that_arrives_after_a_take_over_is_refused() {
    let world = World::new().await;
    let (network, relay) = with_a_batch_on_its_way(&world).await;
    let calls = async || {
        let mut info = Cmd::new();
        info.arg("INFO").arg("commandstats");
        let stats: InfoDict = world.redis.ask(info).await;
        stats.get::<String>("cmdstat_evalsha").unwrap_or_default()
    };
    let before = calls().await;
    network.heal();
    eventually("the batch to arrive", async || calls().await != before).await;
    assert_eq!(world.redis.numbers(STREAM).await, [1, 2, 3]);
    world.publish([Ping::new(4)]).await;
    world.wait_until_published().await;
    relay.stop().await;
    assert_eq!(world.redis.numbers(STREAM).await, [1, 2, 3, 4]);
}

#[tokio::test]
async fn a_batch_that_arrives_after_a_take_over_and_a_loss_hides_nothing_of_the_loss() {
    let world = World::new().await;
    let (network, relay) = with_a_batch_on_its_way(&world).await;
    // Redis is back at the copy from before the take-over, and the late batch fits onto that.
    let () = world.redis.ask(cmd("DEBUG").arg("RELOAD").arg("NOSAVE").to_owned()).await;
    assert_eq!(world.redis.numbers(STREAM).await, [1]);
    network.heal();
    eventually("the batch to arrive", async || world.redis.numbers(STREAM).await == [1, 2]).await;
    world.publish([Ping::new(4)]).await;
    eventually("what was lost again", async || {
        let numbers = world.redis.numbers(STREAM).await;
        (1..=4).all(|n| numbers.contains(&n))
    })
    .await;
    relay.stop().await;
}

#[tokio::test]
async fn a_relay_that_stands_by_while_rows_wait_logs_it() {
    let (world, logs, metrics) = (World::new().await, Logs::record(), Metrics::record());
    let mut holder = world.pool.acquire().await.unwrap();
    let key = "select pg_advisory_lock(x'6f7574626f7800'::bigint)";
    sqlx::query(key).execute(&mut *holder).await.unwrap();
    let relay = world.relay_with(RelayPolicy {
        measure: Duration::from_millis(20),
        warn_after: Duration::from_millis(200),
        alarm_after: Duration::from_millis(400),
        ..relay_policy()
    });
    world.publish([Ping::new(1)]).await;
    let waits = |gauge| metrics.value(gauge).is_some_and(|seconds| seconds > 1.0);
    eventually("both gauges", async || {
        ["outbox_standby_seconds", "outbox_backlog_age_seconds"].into_iter().all(waits)
    })
    .await;
    assert_eq!(logs.lines("WARN", "while rows wait to be published").len(), 1, "at a bounded rate");
    let alarms = logs.lines("ERROR", "the oldest row of the outbox has waited for");
    assert_eq!(alarms.len(), 1, "at a bounded rate");
    assert!(alarms[0].contains("waiting=1") && alarms[0].contains("outbox:tester:mark"), "{}", alarms[0]);

    holder.close().await.unwrap();
    world.wait_until_published().await;
    eventually("no standby", async || metrics.value("outbox_standby_seconds") == Some(0.0)).await;
    relay.stop().await;
}
