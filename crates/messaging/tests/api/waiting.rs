//! Events that have to wait hold up nobody.

use contracts::events::Event;
use messaging::{HandlerError, Policy};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::support::{Conduct, Metrics, Ping, Tally, World, eventually, policy, rename_database};

const STREAM: &str = Ping::STREAM.name;

fn wait_for(world: &World, waits: impl Fn(i64) -> bool + Send + Sync + 'static) -> Arc<AtomicBool> {
    let cause = Arc::new(AtomicBool::new(false));
    let come = cause.clone();
    world.app.conduct(move |n, _| {
        if waits(n) && !come.load(Ordering::Relaxed) {
            Conduct::HandlerError(HandlerError::not_yet("its cause has not come"))
        } else {
            Conduct::Succeed
        }
    });
    cause
}

#[tokio::test]
async fn an_event_that_comes_too_early_is_handled_once_its_cause_has_come() {
    let world = World::new().await;
    let cause = wait_for(&world, |_| true);
    world.add(Ping::new(1)).await;
    let consumer = world.consumer();
    eventually("some tries", async || world.app.tries(1) > 3).await;
    assert!(world.effects().await.is_empty());
    cause.store(true, Ordering::Relaxed);
    world.wait_for_effects([1]).await;
    world.wait_until_acknowledged(STREAM).await;
    consumer.stop().await;
    assert!(world.redis.dead_letters(STREAM).await.is_empty());
}

#[tokio::test]
async fn a_dependency_may_be_down_for_any_number_of_tries() {
    let world = World::new().await;
    world.app.conduct(|_, tries| {
        if tries < 30 { Conduct::HandlerError(HandlerError::retry("down")) } else { Conduct::Succeed }
    });
    world.add(Ping::new(1)).await;
    let consumer = world.consumer();
    world.wait_for_effects([1]).await;
    consumer.stop().await;
    assert!(world.redis.dead_letters(STREAM).await.is_empty());
}

#[tokio::test]
async fn a_database_that_has_another_name_for_a_while_is_waited_for() {
    let (world, metrics) = (World::new().await, Metrics::record());
    let relay = world.relay();
    let consumer = world.consumer_with(Policy { bug_tries: 1, bug_for: Duration::ZERO, ..policy() });
    world.add(Ping::new(1)).await;
    world.wait_for_effects([1]).await;
    let name = world.pool.connect_options().get_database().unwrap().to_owned();
    let elsewhere = format!("{name}_old");
    rename_database(&name, &elsewhere).await;
    for n in 2..10 {
        world.add(Ping::new(n)).await;
        world.add(Tally::new(n)).await;
    }
    eventually("tries in vain", async || {
        [STREAM, Tally::STREAM.name].into_iter().all(|stream| metrics.outcomes(stream, "retry") > 20.0)
    })
    .await;
    rename_database(&elsewhere, &name).await;
    world.wait_for_effects([1].into_iter().chain((2..10).flat_map(|n| [n, n]))).await;
    world.wait_until_acknowledged(STREAM).await;
    world.wait_until_published().await;
    relay.stop().await;
    consumer.stop().await;
    assert!(world.redis.dead_letters(STREAM).await.is_empty());
    assert!(world.redis.dead_letters(Tally::STREAM.name).await.is_empty());
}

#[tokio::test]
async fn waiting_events_hold_up_no_others() {
    let world = World::new().await;
    let cause = wait_for(&world, |n| n < 50);
    for n in 0..100 {
        world.add(Ping::new(n)).await;
    }
    let consumer = world.consumer_with(Policy { count: 7, ..policy() });
    world.wait_for_effects(50..100).await;
    cause.store(true, Ordering::Relaxed);
    world.wait_for_effects(0..100).await;
    consumer.stop().await;
}

#[tokio::test]
async fn more_waiting_events_than_memory_is_meant_for_wait_in_redis() {
    let world = World::new().await;
    let cause = wait_for(&world, |n| n < 20);
    for n in 0..30 {
        world.add(Ping::new(n)).await;
    }
    let claim_after = Duration::from_millis(300);
    let consumer = world.consumer_with(Policy { delayed: 2, claim_after, ..policy() });
    world.wait_for_effects(20..30).await;
    cause.store(true, Ordering::Relaxed);
    world.wait_for_effects(0..30).await;
    consumer.stop().await;
}
