//! Who takes over the entries of a consumer that is gone.

use contracts::events::Event;
use messaging::{HandlerError, Policy};
use redis::{cmd, streams::StreamInfoConsumersReply};
use std::time::Duration;

use crate::support::{App, Conduct, GROUP, Ping, World, eventually, policy, read_as};

const STREAM: &str = Ping::STREAM.name;

#[tokio::test]
async fn entries_of_a_member_that_died_are_taken_over() {
    let world = World::new().await;
    world.redis.create_group(STREAM, GROUP).await;
    for n in 0..250 {
        world.add(Ping::new(n)).await;
    }
    read_as(&mut world.redis.connect().await, "dead", STREAM, 250).await;
    let consumer = world.consumer_with(Policy { claim_after: Duration::from_millis(100), ..policy() });
    world.wait_for_effects(0..250).await;
    world.wait_until_acknowledged(STREAM).await;
    consumer.stop().await;
}

#[tokio::test]
async fn entries_that_a_killed_consumer_had_in_hand_are_handled_by_another() {
    let world = World::new().await;
    world.app.conduct(|_, tries| if tries == 1 { Conduct::Hang } else { Conduct::Succeed });
    world.add(Ping::new(1)).await;
    let policy = Policy { claim_after: Duration::from_millis(200), ..policy() };
    let first = world.consumer_with(policy.clone());
    eventually("the first try", async || world.app.tries(1) == 1).await;
    first.kill().await;
    let second = world.consumer_with(policy);
    world.wait_for_effects([1]).await;
    second.stop().await;
}

#[tokio::test]
async fn a_waiting_entry_is_not_taken_from_an_owner_that_lives() {
    let world = World::new().await;
    world.app.conduct(|_, tries| {
        if tries == 1 { Conduct::HandlerError(HandlerError::retry("down")) } else { Conduct::Succeed }
    });
    let wait = Duration::from_secs(3);
    let slow =
        Policy { claim_after: Duration::from_secs(1), shortest_wait: wait, longest_wait: wait, ..policy() };
    world.add(Ping::new(1)).await;
    let owner = world.consumer_with(slow.clone());
    eventually("the first try", async || world.app.tries(1) == 1).await;
    let thief = App::new();
    let other = world.consumer_of(thief.clone(), slow);
    world.wait_for_effects([1]).await;
    owner.stop().await;
    other.stop().await;
    assert_eq!((world.app.tries(1), thief.tries(1)), (2, 0));
}

#[tokio::test]
async fn consumers_that_are_gone_are_removed_unless_something_is_pending_with_them() {
    let world = World::new().await;
    world.redis.create_group(STREAM, GROUP).await;
    world.add(Ping::new(1)).await;
    let mut redis = world.redis.connect().await;
    read_as(&mut redis, "busy", STREAM, 1).await;
    let () =
        cmd("XGROUP").arg(&["CREATECONSUMER", STREAM, GROUP, "gone"]).query_async(&mut redis).await.unwrap();
    let consumer = world.consumer_with(Policy { idle_consumer_after: Duration::ZERO, ..policy() });
    eventually("one to be removed", async || !consumers(&world).await.contains(&"gone".to_owned())).await;
    consumer.stop().await;
    assert!(consumers(&world).await.contains(&"busy".to_owned()));
}

async fn consumers(world: &World) -> Vec<String> {
    let mut info = cmd("XINFO");
    info.arg("CONSUMERS").arg(STREAM).arg(GROUP);
    let reply: StreamInfoConsumersReply = world.redis.ask(info).await;
    reply.consumers.into_iter().map(|consumer| consumer.name).collect()
}
