//! Effects happen once, however often an event comes.

use std::time::Duration;

use contracts::events::Event;
use messaging::{Delivered, Fields, HandlerError, Incoming, Outcomes, Policy, Runner, StreamHandler};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::support::{Conduct, GROUP, Ping, Pong, World, eventually, fields, policy};

const STREAM: &str = Ping::STREAM.name;

#[tokio::test]
async fn an_event_that_comes_twice_has_its_effects_once_and_is_prepared_once() {
    let world = World::new().await;
    let twice = fields(Ping::new(1));
    world.add_raw(STREAM, "*", &twice).await;
    let consumer = world.consumer();
    world.wait_for_effects([1]).await;
    world.wait_until_acknowledged(STREAM).await;
    world.add_raw(STREAM, "*", &twice).await;
    world.add(Ping::new(2)).await;
    world.wait_for_effects([1, 2]).await;
    world.wait_until_acknowledged(STREAM).await;
    consumer.stop().await;
    assert_eq!(world.effects().await, [1, 2]);
    assert_eq!(world.app.prepared(), 2);
}

#[tokio::test]
async fn two_deliveries_at_the_same_time_have_one_effect() {
    let world = World::new().await;
    let twice = fields(Ping::new(1));
    for _ in 0..8 {
        world.add_raw(STREAM, "*", &twice).await;
    }
    let consumer = world.consumer();
    world.wait_for_effects([1]).await;
    world.wait_until_acknowledged(STREAM).await;
    consumer.stop().await;
    assert_eq!(world.effects().await, [1]);
}

#[tokio::test]
async fn a_handler_that_fails_leaves_neither_effects_nor_events() {
    let world = World::new().await;
    world.app.conduct(|_, tries| match tries {
        1 => Conduct::HandlerError(HandlerError::retry("the dependency is down")),
        2 => Conduct::Panic,
        _ => Conduct::Succeed,
    });
    world.add(Ping::new(1)).await;
    let consumer = world.consumer();
    world.wait_for_effects([1]).await;
    consumer.stop().await;
    assert_eq!(world.app.tries(1), 3);
    assert_eq!(world.unpublished().await, 1, "of three tries one published");
}

#[tokio::test]
async fn what_a_handler_publishes_belongs_to_the_trace_of_the_event() {
    let world = World::new().await;
    let causes = [world.add(Ping::new(1)).await, world.add(Ping::new(2)).await];
    let (consumer, relay) = (world.consumer(), world.relay());
    eventually("the answers", async || world.redis.numbers(Pong::STREAM.name).await == [1, 2]).await;
    consumer.stop().await;
    relay.stop().await;
    for (answer, cause) in world.redis.entries(Pong::STREAM.name).await.iter().zip(&causes) {
        assert_eq!(answer["correlation_id"], cause["correlation_id"]);
        assert_eq!(trace_id(answer), trace_id(cause));
        assert_ne!(answer["traceparent"], cause["traceparent"]);
    }
}

fn trace_id(fields: &Fields) -> &str {
    fields["traceparent"].split('-').nth(1).unwrap()
}

#[tokio::test]
async fn a_consumer_reads_what_was_published_before_it_existed() {
    let world = World::new().await;
    let relay = world.relay();
    world.publish((0..300).map(Ping::new)).await;
    world.wait_until_published().await;
    let consumer = world.consumer();
    world.wait_for_effects(0..300).await;
    consumer.stop().await;
    relay.stop().await;
}

#[tokio::test]
async fn a_shutdown_finishes_what_is_in_hand_and_leaves_the_rest_to_the_next_at_once() {
    let world = World::new().await;
    world.app.conduct(|_, _| Conduct::WaitAtGate);
    for n in 0..5 {
        world.add(Ping::new(n)).await;
    }
    // Were it not left to the next, nobody would claim it for an hour.
    let policy = Policy { count: 2, claim_after: Duration::from_hours(1), ..policy() };
    let first = world.consumer_with(policy.clone());
    eventually("a batch in hand", async || world.app.tries(0) == 1).await;
    first.shutdown.cancel();
    world.app.gate.add_permits(2);
    first.stop().await;
    assert_eq!(world.effects().await, [0, 1]);
    assert_eq!(world.redis.pending(STREAM).await, 3, "what was finished is acknowledged");

    world.app.gate.add_permits(3);
    let second = world.consumer_with(policy);
    world.wait_for_effects(0..5).await;
    second.stop().await;
}

#[tokio::test]
async fn what_is_in_hand_is_finished_at_a_shutdown_although_redis_is_gone() {
    let mut world = World::new().await;
    world.app.conduct(|_, _| Conduct::WaitAtGate);
    world.add(Ping::new(1)).await;
    let consumer = world.consumer();
    eventually("an event in hand", async || world.app.tries(1) == 1).await;
    world.redis.crash();
    consumer.shutdown.cancel();
    world.app.gate.add_permits(1);
    consumer.stop().await;
    assert_eq!(world.effects().await, [1]);
}

#[tokio::test]
async fn a_delivery_without_redis_returns_its_outcome() {
    let world = World::new().await;
    let (consumer, event) = (world.routes(), fields(Ping::new(1)));
    assert!(matches!(consumer.deliver(STREAM, &event).await, Delivered::Applied));
    assert!(matches!(consumer.deliver(STREAM, &event).await, Delivered::AlreadyApplied));
    assert!(matches!(consumer.deliver(Pong::STREAM.name, &event).await, Delivered::NotSubscribed));
    let wrong = fields(Pong::new(1));
    assert!(matches!(consumer.deliver(STREAM, &wrong).await, Delivered::Failed(HandlerError::Reject(_))));
    world.app.conduct(|_, _| Conduct::Panic);
    let event = fields(Ping::new(2));
    assert!(matches!(consumer.deliver(STREAM, &event).await, Delivered::Failed(HandlerError::Bug(_))));
    assert_eq!(world.effects().await, [1]);
}

/// What a service without Postgres brings along.
struct Collector(mpsc::UnboundedSender<String>);

impl StreamHandler for Collector {
    fn streams(&self) -> Vec<&'static str> {
        vec![STREAM]
    }

    async fn handle(&self, _stream: &str, batch: &[Incoming<'_>]) -> Result<Outcomes, HandlerError> {
        let send = |incoming: &Incoming<'_>| self.0.send(incoming.fields["n"].clone());
        Ok(batch.iter().map(|incoming| send(incoming).map_err(HandlerError::bug)).collect())
    }
}

#[tokio::test]
async fn a_service_without_postgres_runs_the_redis_side_alone() {
    let world = World::new().await;
    world.add(Ping::new(1)).await;
    let (sender, mut received) = mpsc::unbounded_channel();
    let shutdown = CancellationToken::new();
    let runner = Runner::new(GROUP, Collector(sender)).run(world.redis.client(), shutdown.clone());
    let runner = tokio::spawn(runner);
    assert_eq!(received.recv().await.unwrap(), "1");
    shutdown.cancel();
    runner.await.unwrap();
    assert_eq!(world.redis.pending(STREAM).await, 0);
}
