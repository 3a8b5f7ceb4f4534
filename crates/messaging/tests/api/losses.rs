//! Redis loses data; Postgres does not.

use std::time::Duration;

use contracts::events::Event;
use messaging::Policy;
use redis::cmd;

use crate::support::{Conduct, GROUP, Ping, RedisServer, World, eventually, policy};

const STREAM: &str = Ping::STREAM.name;

async fn mark(redis: &RedisServer) -> i64 {
    let mut get = cmd("GET");
    get.arg("outbox:tester:mark");
    redis.ask::<Option<i64>>(get).await.unwrap_or_default()
}

#[tokio::test]
async fn everything_that_was_flushed_is_sent_again_even_if_nothing_new_comes() {
    let world = World::new().await;
    let (relay, consumer) = (world.relay(), world.consumer());
    world.publish((0..10).map(Ping::new)).await;
    world.wait_for_effects(0..10).await;
    world.redis.flush().await;
    let resent = async || world.redis.numbers(STREAM).await == (0..10).collect::<Vec<_>>();
    eventually("all of it again", resent).await;
    // The flushed group is made anew, reads everything again, and knows all of it.
    world.publish([Ping::new(10)]).await;
    world.wait_for_effects(0..=10).await;
    world.wait_until_acknowledged(STREAM).await;
    assert_eq!(world.effects().await, (0..=10).collect::<Vec<_>>());
    relay.stop().await;
    consumer.stop().await;
}

#[tokio::test]
async fn what_was_lost_with_a_volume_is_sent_again() {
    let mut world = World::new().await;
    let (relay, consumer) = (world.relay(), world.consumer());
    world.publish((0..10).map(Ping::new)).await;
    world.wait_for_effects(0..10).await;
    world.redis.crash();
    world.publish([Ping::new(10)]).await;
    world.redis.wipe();
    world.redis.resume().await;
    world.wait_for_effects(0..=10).await;
    world.wait_until_published().await;
    world.wait_until_acknowledged(STREAM).await;
    let mut sent = world.redis.numbers(STREAM).await;
    sent.sort_unstable();
    assert_eq!(sent, (0..=10).collect::<Vec<_>>());
    assert_eq!(world.effects().await, (0..=10).collect::<Vec<_>>());
    relay.stop().await;
    consumer.stop().await;
}

#[tokio::test]
async fn only_what_is_younger_than_an_older_copy_is_sent_again() {
    let mut world = World::new().await;
    // Before the groups read anything, nothing is trimmed, so that the streams show what was sent.
    let relay = world.relay();
    world.publish((0..5).map(Ping::new)).await;
    world.wait_until_published().await;
    world.redis.save().await;
    world.publish((5..10).map(Ping::new)).await;
    world.wait_until_published().await;
    world.redis.crash();
    world.redis.resume().await;
    let all = (0..10).collect::<Vec<_>>();
    eventually("the younger half again", async || world.redis.numbers(STREAM).await == all).await;
    let consumer = world.consumer();
    world.wait_for_effects(0..10).await;
    relay.stop().await;
    consumer.stop().await;
}

#[tokio::test]
async fn an_older_copy_is_noticed_although_a_crash_had_left_redis_ahead() {
    let mut world = World::new().await;
    let mut incr = cmd("SET");
    incr.arg("outbox:tester:mark").arg(7);
    let () = world.redis.ask(incr).await;
    world.redis.save().await;
    let relay = world.relay();
    world.publish([Ping::new(1)]).await;
    world.wait_until_published().await;
    assert!(mark(&world.redis).await > 7, "a batch has a number of its own");
    world.redis.crash();
    world.redis.resume().await;
    eventually("the batch again", async || world.redis.numbers(STREAM).await == [1]).await;
    relay.stop().await;
}

#[tokio::test]
async fn a_consumer_makes_its_group_anew_when_it_is_gone() {
    let world = World::new().await;
    let consumer = world.consumer();
    world.add(Ping::new(1)).await;
    world.wait_for_effects([1]).await;
    let mut destroy = cmd("XGROUP");
    destroy.arg("DESTROY").arg(STREAM).arg(GROUP);
    let () = world.redis.ask(destroy).await;
    world.add(Ping::new(2)).await;
    world.wait_for_effects([1, 2]).await;
    consumer.stop().await;
}

#[tokio::test]
async fn a_consumer_goes_on_after_redis_was_away_with_what_it_had_in_hand() {
    let mut world = World::new().await;
    world.app.conduct(|_, _| Conduct::WaitAtGate);
    // Nothing is claimed within the test: the consumer reads its own again.
    let consumer = world.consumer_with(Policy { claim_after: Duration::from_hours(1), ..policy() });
    world.add(Ping::new(1)).await;
    eventually("the first try", async || world.app.tries(1) == 1).await;
    world.redis.save().await;
    world.redis.crash();
    world.app.gate.add_permits(10);
    world.wait_for_effects([1]).await;
    world.redis.resume().await;
    world.add(Ping::new(2)).await;
    world.wait_for_effects([1, 2]).await;
    world.wait_until_acknowledged(STREAM).await;
    assert_eq!(world.effects().await, [1, 2]);
    consumer.stop().await;
}

#[tokio::test]
async fn the_loss_of_many_days_is_made_good_in_steps() {
    let world = World::new().await;
    let relay = world.relay();
    world.publish([Ping::new(1)]).await;
    world.wait_until_published().await;
    relay.stop().await;
    // As the outbox of a busy shop; no statement may take so long that the server ends it.
    for statement in [
        "insert into messaging.outbox (stream, fields, published_at, mark, entry_ms, entry_seq)
         select stream, fields, published_at, mark, entry_ms, entry_seq
         from messaging.outbox, generate_series(1, 25000)",
        "create function refuse_many() returns trigger language plpgsql as $$ begin
             if (select count(*) from changed) > 10000 then raise 'too much at once'; end if;
             return null;
         end $$",
        "create trigger refuse_many after update on messaging.outbox
         referencing new table as changed for each statement execute function refuse_many()",
    ] {
        sqlx::query(statement).execute(&world.pool).await.unwrap();
    }
    world.redis.flush().await;
    let relay = world.relay();
    let mut length = cmd("XLEN");
    length.arg(STREAM);
    eventually("all of it again", async || world.redis.ask::<u64>(length.clone()).await == 25_001).await;
    relay.stop().await;
}
