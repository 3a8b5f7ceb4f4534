//! Many events in one transaction: what a failed one does to its neighbours.

use std::{sync::atomic::Ordering, time::Duration};

use contracts::events::{Event, Fields};
use messaging::{HandlerError, Policy};

use crate::support::{Conduct, Ping, Tally, World, eventually, fields, policy};

const STREAM: &str = Tally::STREAM.name;

#[tokio::test]
async fn events_that_wait_together_are_handled_together_in_order() {
    let world = World::new().await;
    for n in 0..100 {
        world.add(Tally::new(n)).await;
    }
    let consumer = world.consumer();
    world.wait_for_effects(0..100).await;
    consumer.stop().await;
    assert_eq!(*world.app.batches.lock().unwrap(), [100]);
    let inserted: Vec<i64> =
        sqlx::query_scalar("select n from effects").fetch_all(&world.pool).await.unwrap();
    assert_eq!(inserted, (0..100).collect::<Vec<_>>());
}

#[tokio::test]
async fn in_a_batch_with_one_culprit_only_the_culprit_fails() {
    let world = World::new().await;
    world.app.conduct(|n, _| {
        if n == 3 { Conduct::HandlerError(HandlerError::reject("a wrong one")) } else { Conduct::Succeed }
    });
    for n in 0..6 {
        world.add(Tally::new(n)).await;
    }
    let mut undecodable = fields(Tally::new(99));
    undecodable.remove("n");
    world.add_raw(STREAM, "*", &undecodable).await;
    let consumer = world.consumer();
    world.wait_for_effects([0, 1, 2, 4, 5]).await;
    world.wait_until_acknowledged(STREAM).await;
    consumer.stop().await;
    let dead = world.redis.dead_letters(STREAM).await;
    assert_eq!(dead.len(), 2);
    assert_eq!(dead[0]["n"], "3");
    assert_eq!(dead[1]["event_id"], undecodable["event_id"]);
    assert_eq!(*world.app.batches.lock().unwrap(), [6, 4, 2, 2, 1, 1, 2]);
}

#[tokio::test]
async fn an_event_that_fails_alone_leaves_its_neighbours_in_the_batch() {
    let world = World::new().await;
    world.app.conduct(|n, tries| match (n, tries) {
        (1, _) => Conduct::FailAlone(HandlerError::reject("a wrong one")),
        (3, 1) => Conduct::FailAlone(HandlerError::not_yet("its cause has not come")),
        _ => Conduct::Succeed,
    });
    for n in 0..6 {
        world.add(Tally::new(n)).await;
    }
    let mut undecodable = fields(Tally::new(99));
    undecodable.remove("n");
    world.add_raw(STREAM, "*", &undecodable).await;
    let consumer = world.consumer();
    world.wait_for_effects([0, 2, 3, 4, 5]).await;
    world.wait_until_acknowledged(STREAM).await;
    consumer.stop().await;
    assert_eq!(*world.app.batches.lock().unwrap(), [6, 1], "one transaction, and one for the late one");
    let dead = world.redis.dead_letters(STREAM).await;
    assert_eq!(dead.len(), 2);
    assert_eq!(dead[0]["n"], "1");
    assert_eq!(dead[1]["event_id"], undecodable["event_id"]);
}

#[tokio::test]
async fn of_a_batch_in_which_all_fail_nothing_is_known_afterwards() {
    let world = World::new().await;
    world.app.conduct(|_, tries| {
        if tries == 1 { Conduct::FailAlone(HandlerError::retry("down")) } else { Conduct::Succeed }
    });
    for n in 0..3 {
        world.add(Tally::new(n)).await;
    }
    let consumer = world.consumer();
    world.wait_for_effects(0..3).await;
    world.wait_until_acknowledged(STREAM).await;
    consumer.stop().await;
    assert!(world.redis.dead_letters(STREAM).await.is_empty());
}

#[tokio::test]
async fn a_handler_that_loses_count_commits_nothing_of_the_batch() {
    let world = World::new().await;
    world.app.outcomes.store(1, Ordering::Relaxed);
    for n in 0..3 {
        world.add(Tally::new(n)).await;
    }
    let consumer = world.consumer();
    world.wait_for_effects(0..3).await;
    world.wait_until_acknowledged(STREAM).await;
    consumer.stop().await;
    assert_eq!(*world.app.batches.lock().unwrap(), [3, 2, 1, 1, 1], "one by one it can count");
}

#[tokio::test]
async fn a_batch_that_panics_is_halved() {
    let world = World::new().await;
    world.app.conduct(|n, tries| if n == 1 && tries == 1 { Conduct::Panic } else { Conduct::Succeed });
    for n in 0..3 {
        world.add(Tally::new(n)).await;
    }
    let consumer = world.consumer();
    world.wait_for_effects(0..3).await;
    consumer.stop().await;
    assert_eq!(*world.app.batches.lock().unwrap(), [3, 2, 1]);
}

#[tokio::test]
async fn an_event_that_is_twice_in_a_batch_or_known_already_has_its_effects_once() {
    let world = World::new().await;
    let (known, twice) = (fields(Tally::new(1)), fields(Tally::new(2)));
    world.routes().deliver(STREAM, &known).await;
    for entry in [&known, &twice, &twice] {
        world.add_raw(STREAM, "*", entry).await;
    }
    let consumer = world.consumer();
    world.wait_for_effects([1, 2]).await;
    world.wait_until_acknowledged(STREAM).await;
    consumer.stop().await;
    assert_eq!(world.effects().await, [1, 2]);
    assert_eq!(*world.app.batches.lock().unwrap(), [1, 1]);
}

#[tokio::test]
async fn what_cannot_be_prepared_waits_alone() {
    let world = World::new().await;
    world.app.unprepared.lock().unwrap().insert("1".to_owned());
    for n in 0..3 {
        world.add(Ping::new(n)).await;
    }
    let consumer = world.consumer();
    world.wait_for_effects([0, 2]).await;
    eventually("another try", async || world.app.prepared() > 4).await;
    assert_eq!(world.app.tries(1), 0, "what is not prepared is not applied");
    world.app.unprepared.lock().unwrap().clear();
    world.wait_for_effects(0..3).await;
    world.wait_until_acknowledged(Ping::STREAM.name).await;
    consumer.stop().await;
}

#[tokio::test]
async fn a_row_that_somebody_keeps_locked_delays_only_what_needs_it() {
    let world = World::new().await;
    sqlx::query("create table rows (n bigint primary key)").execute(&world.pool).await.unwrap();
    sqlx::query("insert into rows select generate_series(0, 6)").execute(&world.pool).await.unwrap();
    world.app.lock_rows();
    let mut other = world.pool.begin().await.unwrap();
    sqlx::query("select from rows where n = 3 for update").execute(&mut *other).await.unwrap();
    for n in 0..7 {
        world.add(Tally::new(n)).await;
    }
    let consumer = world.consumer();
    world.wait_for_effects([0, 1, 2, 4, 5, 6]).await;
    other.rollback().await.unwrap();
    world.wait_for_effects(0..7).await;
    consumer.stop().await;
    assert!(world.redis.dead_letters(STREAM).await.is_empty());
}

#[tokio::test]
async fn a_process_that_dies_between_commit_and_acknowledgement_leaves_nothing_to_be_done_twice() {
    let mut world = World::new().await;
    world.app.conduct(|_, _| Conduct::WaitAtGate);
    for n in 0..3 {
        world.add(Tally::new(n)).await;
    }
    let consumer = world.consumer();
    eventually("a batch in hand", async || world.app.tries(0) == 1).await;
    // Redis is gone when the batch is committed: nobody acknowledges it.
    world.redis.save().await;
    world.redis.crash();
    world.app.gate.add_permits(3);
    world.wait_for_effects(0..3).await;
    consumer.kill().await;
    world.redis.resume().await;
    assert_eq!(world.redis.pending(STREAM).await, 3);
    world.app.conduct(|_, _| Conduct::Succeed);
    let next = world.consumer_with(Policy { claim_after: Duration::from_millis(100), ..policy() });
    world.wait_until_acknowledged(STREAM).await;
    next.stop().await;
    assert_eq!(world.effects().await, [0, 1, 2]);
}

#[tokio::test]
async fn two_replicas_that_get_the_same_events_have_each_effect_once() {
    let world = World::new().await;
    let events: Vec<Fields> = (0..50).map(|n| fields(Tally::new(n))).collect();
    for _ in 0..2 {
        for event in &events {
            world.add_raw(STREAM, "*", event).await;
        }
    }
    let replicas = [world.consumer(), world.consumer()];
    world.wait_for_effects(0..50).await;
    world.wait_until_acknowledged(STREAM).await;
    for replica in replicas {
        replica.stop().await;
    }
    assert_eq!(world.effects().await, (0..50).collect::<Vec<_>>());
}
