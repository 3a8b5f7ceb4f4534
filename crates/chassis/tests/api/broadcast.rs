//! Texts over Redis to whoever listens.

use std::sync::{Arc, Mutex};

use chassis::{Lifecycle, broadcast::Broadcast};
use dev_servers::{Redis, RedisOptions};

const CHANNEL: &str = "something:changed";

#[tokio::test]
async fn a_listener_gets_what_is_sent_and_is_told_that_it_may_have_missed_something() {
    let mut server = Redis::start(RedisOptions::default()).await.unwrap();
    let client = redis::Client::open(format!("redis://127.0.0.1:{}", server.port())).unwrap();
    let (lifecycle, received) = (Lifecycle::new(), Arc::new(Mutex::new(Vec::new())));
    let listener = Arc::clone(&received);
    Broadcast::listen(client.clone(), CHANNEL, &lifecycle, move |text| listener.lock().unwrap().push(text));
    let until = async |expected: &[Option<&str>]| {
        testkit::eventually("it is received", async || {
            let received = received.lock().unwrap();
            (received.iter().map(Option::as_deref).eq(expected.iter().copied())).then_some(())
        })
        .await;
    };
    let sender = Broadcast::new(client, CHANNEL).unwrap();
    until(&[None]).await;
    sender.send("one").await;
    until(&[None, Some("one")]).await;

    server.stop().await.unwrap();
    sender.send("lost").await;
    server.restart().await.unwrap();
    until(&[None, Some("one"), None]).await;
    testkit::eventually("the sender has connected again", async || {
        sender.send("two").await;
        received.lock().unwrap().contains(&Some("two".to_owned())).then_some(())
    })
    .await;
    assert!(!received.lock().unwrap().contains(&Some("lost".to_owned())));
}
