//! Events that cannot be handled go aside, alone.

use contracts::events::Event;
use messaging::{Fail, Policy};
use redis::cmd;
use std::time::Duration;

use crate::support::{Conduct, GROUP, Ping, World, eventually, fields, policy};

const STREAM: &str = Ping::STREAM.name;

async fn dead_letter(world: &World) -> messaging::Fields {
    eventually("a dead letter", async || !world.redis.dead_letters(STREAM).await.is_empty()).await;
    world.wait_until_acknowledged(STREAM).await;
    let mut letters = world.redis.dead_letters(STREAM).await;
    assert_eq!(letters.len(), 1);
    letters.remove(0)
}

#[tokio::test]
async fn what_does_not_decode_is_a_dead_letter_at_once_with_all_that_it_was() {
    let world = World::new().await;
    let mut original = fields(Ping::new(1));
    original.insert("version".to_owned(), "2".to_owned());
    world.add_raw(STREAM, "*", &original).await;
    world.add(Ping::new(2)).await;
    let consumer = world.consumer();
    let mut letter = dead_letter(&world).await;
    world.wait_for_effects([2]).await;
    consumer.stop().await;
    assert_eq!(letter.remove("group").unwrap(), GROUP);
    assert_eq!(letter.remove("error").unwrap(), "rejected: expected Ping v1, found Ping v2");
    assert_eq!(letter.remove("tries").unwrap(), "1");
    assert_eq!(letter, original);
}

#[tokio::test]
async fn bytes_that_are_no_text_stop_nobody() {
    let world = World::new().await;
    let mut add = cmd("XADD");
    add.arg(STREAM).arg("*").arg(b"\xff\xfe").arg(b"\x00\xff");
    let _: String = world.redis.ask(add).await;
    world.add(Ping::new(1)).await;
    let consumer = world.consumer();
    world.wait_for_effects([1]).await;
    eventually("nothing pending", async || world.redis.pending(STREAM).await == 0).await;
    consumer.stop().await;
    let mut length = cmd("XLEN");
    length.arg(format!("{STREAM}:dlq"));
    assert_eq!(world.redis.ask::<u64>(length).await, 1);
}

#[tokio::test]
async fn what_a_handler_rejects_is_a_dead_letter_at_once() {
    let world = World::new().await;
    world.app.conduct(|_, _| Conduct::Fail(Fail::reject("such an order cannot be")));
    world.add(Ping::new(1)).await;
    let consumer = world.consumer();
    let letter = dead_letter(&world).await;
    consumer.stop().await;
    assert_eq!(letter["error"], "rejected: such an order cannot be");
    assert_eq!(world.app.tries(1), 1);
    assert!(world.effects().await.is_empty());
}

#[tokio::test]
async fn a_bug_is_a_dead_letter_after_its_tries() {
    let world = World::new().await;
    world.app.conduct(|_, _| Conduct::Fail(Fail::bug("division by zero")));
    world.add(Ping::new(1)).await;
    let consumer = world.consumer_with(Policy { bug_for: Duration::ZERO, ..policy() });
    let letter = dead_letter(&world).await;
    consumer.stop().await;
    assert_eq!(letter["error"], "handler failed: division by zero");
    assert_eq!(letter["tries"], "3");
    assert_eq!(world.app.tries(1), 3);
}

#[tokio::test]
async fn a_panic_is_a_bug() {
    let world = World::new().await;
    world.app.conduct(|_, _| Conduct::Panic);
    world.add(Ping::new(1)).await;
    let consumer = world.consumer();
    let letter = dead_letter(&world).await;
    consumer.stop().await;
    assert_eq!(letter["error"], "handler failed: panicked: told to panic");
    assert!(world.effects().await.is_empty());
}

#[tokio::test]
async fn a_handler_that_is_too_slow_for_once_is_tried_again_and_again() {
    let world = World::new().await;
    world.app.conduct(|_, tries| if tries < 20 { Conduct::Hang } else { Conduct::Succeed });
    world.add(Ping::new(1)).await;
    let hasty = Policy { deadline: Duration::from_millis(20), bug_for: Duration::ZERO, ..policy() };
    let consumer = world.consumer_with(hasty);
    eventually("the effect", async || !world.effects().await.is_empty()).await;
    consumer.stop().await;
    assert_eq!(world.redis.dead_letters(STREAM).await, []);
}

#[tokio::test]
async fn an_event_whose_cause_never_comes_is_a_dead_letter_by_the_age_of_its_entry() {
    let world = World::new().await;
    world.app.conduct(|_, _| Conduct::Fail(Fail::not_yet("no such order")));
    world.add_raw(STREAM, "1-0", &fields(Ping::new(1))).await;
    world.add(Ping::new(2)).await;
    let consumer = world.consumer();
    eventually("a dead letter", async || !world.redis.dead_letters(STREAM).await.is_empty()).await;
    eventually("more tries of the young one", async || world.app.tries(2) > 5).await;
    consumer.stop().await;
    let letters = world.redis.dead_letters(STREAM).await;
    assert_eq!(letters.len(), 1, "the young one waits on");
    assert_eq!(letters[0]["n"], "1");
    assert_eq!(letters[0]["error"], "too early: no such order");
}
