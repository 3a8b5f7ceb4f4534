//! Many events, one transaction.

use std::sync::atomic::Ordering;

use contracts::events::Event;
use messaging::HandlerError;

use crate::support::{Conduct, Tally, World, fields};

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
    assert_eq!(*world.app.batches.lock().unwrap(), [6, 1, 1, 1, 1, 1, 1]);
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
    assert_eq!(*world.app.batches.lock().unwrap(), [3, 1, 1, 1], "one by one it can count");
}

#[tokio::test]
async fn a_batch_that_panics_is_handled_one_by_one() {
    let world = World::new().await;
    world.app.conduct(|n, tries| if n == 1 && tries == 1 { Conduct::Panic } else { Conduct::Succeed });
    for n in 0..3 {
        world.add(Tally::new(n)).await;
    }
    let consumer = world.consumer();
    world.wait_for_effects(0..3).await;
    consumer.stop().await;
    assert_eq!(*world.app.batches.lock().unwrap(), [3, 1, 1, 1]);
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
