//! What reaches the streams: in order, once more after a crash, and all of it after a loss of Redis.

use chassis::context::{self, Trace};
use contracts::events::Event;
use messaging::outbox;
use redis::cmd;

use crate::support::{Ping, Pong, Tally, World, eventually};

#[tokio::test]
async fn an_event_is_published_if_and_only_if_its_transaction_commits() {
    let world = World::new().await;
    let relay = world.relay();
    let mut tx = world.pool.begin().await.unwrap();
    outbox::append(&mut tx, Ping::new(1)).await.unwrap();
    tx.rollback().await.unwrap();
    world.publish([Ping::new(2)]).await;
    world.wait_until_published().await;
    relay.stop().await;
    assert_eq!(world.redis.numbers(Ping::STREAM.name).await, [2]);
}

#[tokio::test]
async fn an_event_carries_the_trace_of_its_cause() {
    let world = World::new().await;
    let (mine, theirs) = (Trace::start(), Trace::start());
    let mut tx = world.pool.begin().await.unwrap();
    context::scope(mine.clone(), outbox::append(&mut tx, Ping::new(1))).await.unwrap();
    outbox::append_all(&mut tx, [(theirs.clone(), Ping::new(2))]).await.unwrap();
    world.outbox.commit(tx).await.unwrap();
    let relay = world.relay();
    world.wait_until_published().await;
    relay.stop().await;
    let entries = world.redis.entries(Ping::STREAM.name).await;
    for (entry, trace) in entries.iter().zip([mine, theirs]) {
        assert_eq!(entry["correlation_id"], trace.correlation_id);
        assert_eq!(entry["traceparent"], trace.traceparent);
        assert_eq!(entry["type"], "Ping");
    }
    assert_ne!(entries[0]["event_id"], entries[1]["event_id"]);
}

#[tokio::test]
async fn a_long_outbox_is_published_in_order_and_each_event_on_its_stream() {
    let world = World::new().await;
    world.publish((0..1_200).map(Ping::new)).await;
    world.publish((0..3).map(Pong::new)).await;
    let relay = world.relay();
    world.wait_until_published().await;
    relay.stop().await;
    assert_eq!(world.redis.numbers(Ping::STREAM.name).await, (0..1_200).collect::<Vec<_>>());
    assert_eq!(world.redis.numbers(Pong::STREAM.name).await, [0, 1, 2]);
}

#[tokio::test]
async fn an_event_that_commits_late_is_not_passed_over() {
    let world = World::new().await;
    let relay = world.relay();
    let mut late = world.pool.begin().await.unwrap();
    outbox::append(&mut late, Ping::new(1)).await.unwrap();
    world.publish([Ping::new(2)]).await;
    eventually("the later one", async || world.redis.numbers(Ping::STREAM.name).await == [2]).await;
    world.outbox.commit(late).await.unwrap();
    eventually("both", async || world.redis.numbers(Ping::STREAM.name).await == [2, 1]).await;
    relay.stop().await;
}

#[tokio::test]
async fn events_that_were_appended_while_redis_was_down_are_published_when_it_is_back() {
    let mut world = World::new().await;
    let relay = world.relay();
    world.publish([Ping::new(1)]).await;
    world.wait_until_published().await;
    world.redis.save().await;
    world.redis.crash();
    world.publish([Ping::new(2)]).await;
    world.redis.resume().await;
    world.wait_until_published().await;
    relay.stop().await;
    assert_eq!(world.redis.numbers(Ping::STREAM.name).await, [1, 2]);
}

#[tokio::test]
async fn of_two_relays_one_is_active_and_the_other_takes_over() {
    let world = World::new().await;
    let (first, second) = (world.relay(), world.relay());
    for n in 0..50 {
        world.publish([Ping::new(n)]).await;
    }
    world.wait_until_published().await;
    first.stop().await;
    world.publish([Ping::new(50)]).await;
    world.wait_until_published().await;
    second.stop().await;
    world.publish([Ping::new(51)]).await;
    assert_eq!(world.unpublished().await, 1, "nobody is left");
    assert_eq!(world.redis.numbers(Ping::STREAM.name).await, (0..=50).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_relay_that_is_killed_before_it_could_note_what_it_sent_sends_it_again() {
    let world = World::new().await;
    world.publish([Ping::new(1)]).await;
    // Holding the row keeps the relay from noting it.
    let mut hold = world.pool.begin().await.unwrap();
    sqlx::query("select from messaging.outbox for update").execute(&mut *hold).await.unwrap();
    let relay = world.relay();
    eventually("the entry", async || world.redis.numbers(Ping::STREAM.name).await == [1]).await;
    relay.kill().await;
    // Its connection is still waiting for the row; whoever kills the process closes it for good.
    end_relay_connections(&world).await;
    hold.rollback().await.unwrap();

    let relay = world.relay();
    world.wait_until_published().await;
    // Looked at before anybody acknowledges them: the relay trims what everybody has.
    assert_eq!(world.redis.numbers(Ping::STREAM.name).await, [1, 1]);
    let consumer = world.consumer();
    world.wait_for_effects([1]).await;
    world.wait_until_acknowledged(Ping::STREAM.name).await;
    assert_eq!(world.effects().await, [1]);
    relay.stop().await;
    consumer.stop().await;
}

async fn end_relay_connections(world: &World) {
    let end = "select pg_terminate_backend(pid) from pg_locks
               where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())";
    sqlx::query(end).execute(&world.pool).await.unwrap();
}

#[tokio::test]
async fn a_relay_whose_database_connection_is_cut_goes_on() {
    let world = World::new().await;
    let relay = world.relay();
    world.publish([Ping::new(1)]).await;
    world.wait_until_published().await;
    end_relay_connections(&world).await;
    world.publish([Ping::new(2)]).await;
    world.wait_until_published().await;
    relay.stop().await;
    assert_eq!(world.redis.numbers(Ping::STREAM.name).await, [1, 2]);
}

#[tokio::test]
async fn a_stream_that_takes_no_entries_holds_up_no_other_and_nothing_is_added_twice() {
    let world = World::new().await;
    let mut set = cmd("SET");
    set.arg(Tally::STREAM.name).arg("no stream");
    let () = world.redis.ask(set).await;
    world.publish([Ping::new(1)]).await;
    world.publish((1..=3).map(Tally::new)).await;
    world.publish([Ping::new(2)]).await;
    let relay = world.relay();
    eventually("some refusals", async || world.redis.errors("WRONGTYPE").await > 3).await;
    world.publish([Ping::new(3)]).await;
    eventually("the others", async || world.redis.numbers(Ping::STREAM.name).await == [1, 2, 3]).await;
    eventually("the rest waits", async || world.unpublished().await == 3).await;

    let mut del = cmd("DEL");
    del.arg(Tally::STREAM.name);
    let () = world.redis.ask(del).await;
    world.wait_until_published().await;
    relay.stop().await;
    assert_eq!(world.redis.numbers(Tally::STREAM.name).await, [1, 2, 3], "in order");
    assert_eq!(world.redis.numbers(Ping::STREAM.name).await, [1, 2, 3], "and once");
}

#[tokio::test]
async fn an_event_that_redis_refuses_stays_in_the_outbox() {
    let world = World::new().await;
    let relay = world.relay();
    let mut set = cmd("CONFIG");
    set.arg("SET").arg("maxmemory").arg("1");
    let () = world.redis.ask(set).await;
    world.publish([Tally::new(1)]).await;
    eventually("a refusal", async || world.redis.errors("OOM").await > 0).await;
    assert_eq!(world.unpublished().await, 1);
    let mut set = cmd("CONFIG");
    set.arg("SET").arg("maxmemory").arg("0");
    let () = world.redis.ask(set).await;
    world.wait_until_published().await;
    relay.stop().await;
    assert_eq!(world.redis.numbers(Tally::STREAM.name).await, [1]);
}
