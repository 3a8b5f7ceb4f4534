//! The shop without what it can do without.

use serde_json::Value;
use stack::actors::{Customer, Poller};
use stack::ledger::Finding;
use stack::shop::{Service, ShopOptions};

use crate::harness::{Answer, NOBODY, Open, shared_postgres};

#[tokio::test]
async fn a_shop_that_never_had_notifications_sells() {
    let mut options = ShopOptions::for_test(shared_postgres()).unwrap();
    options.without = vec![Service::Notification, Service::Mailbox];
    let open = Open::of(options).await;
    let (buyer, product) = (open.customer().await, open.product(5).await);
    let order = open.paid(&buyer, product).await;
    open.delivered(&buyer, order).await;
    open.ask(NOBODY, "GET /health", Value::Null).await.is(200);
    let line = "GET /api/v1/notification";
    open.ask(&buyer.token, line, Value::Null).await.refused(503, "upstream_unavailable");
    open.close().await;
}

#[tokio::test]
async fn a_shop_whose_notifications_stop_sells_and_they_are_sent_when_they_are_back() {
    let mut open = Open::shop().await;
    let (buyer, product) = (open.customer().await, open.product(5).await);
    let before = open.paid(&buyer, product).await;
    are_sent(&open, &buyer, before, &["paid"]).await;

    open.shop.kill(Service::Notification).await.unwrap();
    let order = open.paid(&buyer, product).await;
    open.delivered(&buyer, order).await;
    open.ask(NOBODY, "GET /health", Value::Null).await.is(200);
    let findings = open.ledger().await.settled().await.unwrap();
    assert!(findings.iter().all(Finding::holds), "{findings:#?}");
    assert!(findings.iter().any(|finding| !finding.remarks.is_empty()), "its backlog is remarked on");

    open.shop.restart(Service::Notification).await.unwrap();
    are_sent(&open, &buyer, order, &["paid", "shipped", "delivered"]).await;
    open.close().await;
}

async fn are_sent(open: &Open, buyer: &Customer, order: i64, expected: &[&str]) {
    let line = format!("GET /api/v1/notification?order_id={order}&state=SENT");
    let mut poller = Poller::new();
    loop {
        let sent = open.ask(&buyer.token, &line, Value::Null).await.is(200);
        let kinds: Vec<&str> =
            sent.as_array().unwrap().iter().filter_map(|one| one["kind"].as_str()).collect();
        if expected.iter().all(|kind| kinds.contains(kind)) {
            return;
        }
        poller.wait(|| format!("not everything was sent of order {order}: {kinds:?}")).await.unwrap();
    }
}
