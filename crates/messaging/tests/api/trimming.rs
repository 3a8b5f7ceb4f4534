//! What may be trimmed, and when.

use contracts::events::Event;
use messaging::{HandlerError, relay::RelayPolicy};
use redis::cmd;
use std::time::Duration;

use crate::support::{
    Conduct, GROUP, Ping, Pong, SECOND_GROUP, Tally, World, eventually, fields, relay_policy,
};

const STREAM: &str = Ping::STREAM.name;

/// Runs the maintenance all the time.
fn frequent_maintenance() -> RelayPolicy {
    RelayPolicy { maintenance: Duration::from_millis(50), ..relay_policy() }
}

fn shortest_retention() -> RelayPolicy {
    RelayPolicy {
        keep_published: Duration::ZERO,
        keep_handled: Duration::ZERO,
        keep_ungrouped: Duration::ZERO,
        ..frequent_maintenance()
    }
}

async fn rows(world: &World, stream: &str) -> i64 {
    let count = sqlx::query_scalar("select count(*) from messaging.outbox where stream = $1");
    count.bind(stream).fetch_one(&world.pool).await.unwrap()
}

/// Two rounds of maintenance: an event without a group that comes afterwards is gone.
async fn maintenance_is_done(world: &World) {
    for _ in 0..2 {
        world.publish([Pong::new(0)]).await;
        eventually("maintenance", async || rows(world, Pong::STREAM.name).await == 0).await;
    }
}

#[tokio::test]
async fn nothing_is_trimmed_or_deleted_while_a_group_is_missing_and_then_the_slowest_decides() {
    let world = World::new().await;
    let stream = Tally::STREAM.name;
    let (relay, consumer) = (world.relay_with(shortest_retention()), world.consumer());
    world.publish((0..5).map(Tally::new)).await;
    world.wait_for_effects(0..5).await;
    world.wait_until_acknowledged(stream).await;
    maintenance_is_done(&world).await;
    assert_eq!(world.redis.numbers(stream).await, [0, 1, 2, 3, 4]);
    assert_eq!(rows(&world, stream).await, 5);

    let mut create = cmd("XGROUP");
    create.arg("CREATE").arg(stream).arg(SECOND_GROUP).arg("0");
    let () = world.redis.ask(create).await;
    let mut read = cmd("XREADGROUP");
    read.arg("GROUP").arg(SECOND_GROUP).arg("consumer").arg("COUNT").arg(2).arg("NOACK");
    read.arg("STREAMS").arg(stream).arg(">");
    let _: redis::Value = world.redis.ask(read).await;
    eventually("what both have read to go", async || {
        world.redis.numbers(stream).await == [2, 3, 4] && rows(&world, stream).await == 3
    })
    .await;
    maintenance_is_done(&world).await;
    assert_eq!(world.redis.numbers(stream).await, [2, 3, 4]);
    relay.stop().await;
    consumer.stop().await;
}

#[tokio::test]
async fn neither_an_unread_nor_a_pending_entry_is_passed() {
    let world = World::new().await;
    let relay = world.relay_with(shortest_retention());
    world.redis.create_group(STREAM, GROUP).await;
    world.publish((0..5).map(Ping::new)).await;
    world.wait_until_published().await;
    maintenance_is_done(&world).await;
    assert_eq!(world.redis.numbers(STREAM).await, [0, 1, 2, 3, 4], "unread");
    assert_eq!(rows(&world, STREAM).await, 5);

    world.app.conduct(|n, _| if n == 2 { Conduct::WaitAtGate } else { Conduct::Succeed });
    let consumer = world.consumer();
    world.wait_for_effects([0, 1, 3, 4]).await;
    eventually("what is before the pending one to go", async || {
        world.redis.numbers(STREAM).await == [2, 3, 4] && rows(&world, STREAM).await == 3
    })
    .await;
    maintenance_is_done(&world).await;
    assert_eq!(world.redis.numbers(STREAM).await, [2, 3, 4], "pending");
    assert_eq!(rows(&world, STREAM).await, 3);

    world.app.gate.add_permits(1);
    eventually("everything to go", async || {
        world.redis.numbers(STREAM).await.is_empty() && rows(&world, STREAM).await == 0
    })
    .await;
    consumer.stop().await;
    relay.stop().await;
}

#[tokio::test]
async fn a_group_that_a_newer_program_added_is_waited_for() {
    let world = World::new().await;
    let (relay, consumer) = (world.relay_with(shortest_retention()), world.consumer());
    world.redis.create_group(STREAM, "group-of-tomorrow").await;
    world.publish((0..3).map(Ping::new)).await;
    world.wait_for_effects(0..3).await;
    world.wait_until_acknowledged(STREAM).await;
    maintenance_is_done(&world).await;
    assert_eq!(world.redis.numbers(STREAM).await, [0, 1, 2]);
    assert_eq!(rows(&world, STREAM).await, 3);

    let mut destroy = cmd("XGROUP");
    destroy.arg("DESTROY").arg(STREAM).arg("group-of-tomorrow");
    let () = world.redis.ask(destroy).await;
    eventually("all to go", async || {
        world.redis.numbers(STREAM).await.is_empty() && rows(&world, STREAM).await == 0
    })
    .await;
    relay.stop().await;
    consumer.stop().await;
}

#[tokio::test]
async fn the_row_of_a_dead_letter_is_kept_for_as_long_as_the_letter() {
    let world = World::new().await;
    world.app.conduct(|n, _| {
        if n == 1 { Conduct::HandlerError(HandlerError::reject("a wrong one")) } else { Conduct::Succeed }
    });
    let (relay, consumer) = (world.relay_with(shortest_retention()), world.consumer());
    world.publish((0..3).map(Ping::new)).await;
    world.wait_for_effects([0, 2]).await;
    eventually("the others to go", async || rows(&world, STREAM).await == 1).await;
    maintenance_is_done(&world).await;
    assert_eq!(rows(&world, STREAM).await, 1);
    assert!(world.redis.numbers(STREAM).await.is_empty());

    world.redis.flush().await;
    eventually("the dead_letter again", async || world.redis.dead_letters(STREAM).await.len() == 1).await;
    let mut del = cmd("DEL");
    del.arg(format!("{STREAM}:dlq"));
    let () = world.redis.ask(del).await;
    eventually("the row to go with it", async || rows(&world, STREAM).await == 0).await;
    relay.stop().await;
    consumer.stop().await;
}

#[tokio::test]
async fn a_slow_delete_delays_no_event() {
    let world = World::new().await;
    let old = "insert into messaging.outbox (stream, fields, published_at, mark, entry_ms, entry_seq)
               values ($1, '{}', now() - interval '2 days', 1, 1, 1)";
    sqlx::query(old).bind(Pong::STREAM.name).execute(&world.pool).await.unwrap();
    let mut hold = world.pool.begin().await.unwrap();
    sqlx::query("select from messaging.outbox for update").execute(&mut *hold).await.unwrap();
    let relay = world.relay_with(frequent_maintenance());
    eventually("the delete to wait", async || {
        let waits = "select exists (select from pg_stat_activity where datname = current_database()
                     and wait_event_type = 'Lock' and query like 'delete%')";
        sqlx::query_scalar(waits).fetch_one(&world.pool).await.unwrap()
    })
    .await;
    world.publish([Ping::new(1)]).await;
    world.wait_until_published().await;
    hold.rollback().await.unwrap();
    eventually("the old one to go", async || rows(&world, Pong::STREAM.name).await == 0).await;
    relay.stop().await;
}

#[tokio::test]
async fn acknowledged_rows_are_kept_for_their_time() {
    let world = World::new().await;
    let (relay, consumer) = (world.relay_with(frequent_maintenance()), world.consumer());
    world.publish((0..5).map(Ping::new)).await;
    world.wait_for_effects(0..5).await;
    eventually("the stream to be trimmed", async || world.redis.numbers(STREAM).await.is_empty()).await;
    assert_eq!(rows(&world, STREAM).await, 5);
    relay.stop().await;
    consumer.stop().await;
}

#[tokio::test]
async fn a_stream_without_groups_is_trimmed_by_age() {
    let world = World::new().await;
    world.add_raw(Pong::STREAM.name, "1-0", &fields(Pong::new(1))).await;
    world.add(Pong::new(2)).await;
    let relay = world.relay_with(frequent_maintenance());
    eventually("the old one to go", async || world.redis.numbers(Pong::STREAM.name).await == [2]).await;
    relay.stop().await;
}

#[tokio::test]
async fn what_was_handled_is_remembered_for_its_time() {
    let world = World::new().await;
    world.routes().deliver(STREAM, &fields(Ping::new(1))).await;
    let old = "insert into messaging.inbox (consumer, event_id, handled_at)
               values ('test-group', gen_random_uuid(), now() - interval '31 days')";
    sqlx::query(old).execute(&world.pool).await.unwrap();
    let relay = world.relay_with(frequent_maintenance());
    eventually("the old one to go", async || inbox(&world).await == 1).await;
    relay.stop().await;
    let relay = world.relay_with(shortest_retention());
    eventually("the other to go", async || inbox(&world).await == 0).await;
    relay.stop().await;
}

async fn inbox(world: &World) -> i64 {
    sqlx::query_scalar("select count(*) from messaging.inbox").fetch_one(&world.pool).await.unwrap()
}

#[tokio::test]
async fn dead_letters_are_never_trimmed() {
    let world = World::new().await;
    let dead_letters = format!("{STREAM}:dlq");
    world.add_raw(&dead_letters, "1-0", &fields(Ping::new(1))).await;
    let relay = world.relay_with(shortest_retention());
    maintenance_is_done(&world).await;
    relay.stop().await;
    let mut length = cmd("XLEN");
    length.arg(dead_letters);
    assert_eq!(world.redis.ask::<u64>(length).await, 1);
}
