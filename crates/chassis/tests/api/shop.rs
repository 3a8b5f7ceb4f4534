//! `/health/shop`, which asks the peers how they are.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, http::StatusCode, routing::get as on_get};
use chassis::ServiceContext;
use futures::future::join_all;
use testkit::eventually;
use tower::ServiceExt;

use super::{context_with, get, service};

/// The peers that each answer asks.
const PEERS: usize = 6;

/// All peers in one, and how often they were asked.
fn peers(context: &ServiceContext) -> (String, Arc<AtomicUsize>) {
    let calls = Arc::<AtomicUsize>::default();
    let counter = calls.clone();
    let ready = on_get(async move || {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let listener = chassis::http::bind("127.0.0.1:0".parse().unwrap(), "the port").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/health/ready", ready);
    let stop = context.lifecycle.shutdown().cancelled_owned();
    context.lifecycle.spawn("peers", chassis::http::serve(listener, router, stop));
    (url, calls)
}

#[tokio::test]
async fn many_callers_ask_the_peers_once_a_second() {
    let lifecycle = context_with(&[]);
    let (url, calls) = peers(&lifecycle);
    let flags =
        ["user", "product", "cart", "order", "payment", "delivery"].map(|name| format!("--{name}-url={url}"));
    let router = service(&context_with(&flags.each_ref().map(String::as_str)));
    let ask = || async { router.clone().oneshot(get("/health/shop")).await.unwrap().status() };

    let answers = join_all((0..100).map(|_| ask())).await;
    assert!(answers.iter().all(|status| *status == StatusCode::OK));
    assert_eq!(calls.load(Ordering::Relaxed), PEERS, "one question to each");

    eventually("the peers are asked again", async || {
        ask().await;
        (calls.load(Ordering::Relaxed) > PEERS).then_some(())
    })
    .await;
    assert_eq!(calls.load(Ordering::Relaxed), 2 * PEERS, "and no sooner than a second later");
    assert!(lifecycle.lifecycle.stop().await);
}
