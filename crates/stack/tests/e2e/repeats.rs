//! Every event comes at least once, which may be twice.

use std::collections::{BTreeMap, HashSet};

use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use redis::streams::StreamRangeReply;
use serde_json::Value;
use stack::actors::Customer;
use stack::shop::Service;

use crate::harness::Open;

type Fields = BTreeMap<String, String>;

#[tokio::test]
async fn every_event_published_twice_changes_nothing() {
    let open = Open::shop().await;
    let (buyer, product) = (open.customer().await, open.product(10).await);
    tokio::select! {
        () = all_kinds_of_orders(&open, &buyer, product) => {}
        () = publish_twice_as_they_come(&open) => {}
    }
    open.ledger().await.settled().await.unwrap();
    let before = state(&open, &buyer, product).await;
    publish_again(&open).await;
    open.ledger().await.settled().await.unwrap();
    assert_eq!(state(&open, &buyer, product).await, before);
    open.close().await;
}

async fn all_kinds_of_orders(open: &Open, buyer: &Customer, product: i64) {
    let delivered = open.paid(buyer, product).await;
    open.delivered(buyer, delivered).await;
    let (cancelled, _) = open.awaiting(buyer, product).await;
    buyer.cancel(cancelled).await.unwrap();
    let (expired, token) = open.awaiting(buyer, product).await;
    let expiry = serde_json::json!({"payment_type": "bank_transfer", "outcome": "expire"});
    open.bank.act(&token, &expiry).await.unwrap();
    buyer.wait_for(expired, &["FAILED"]).await.unwrap();
    let lost = open.paid(buyer, product).await;
    let delivery = open.shipped(buyer, lost).await;
    open.admin.set_delivery(delivery, "FAILED", None).await.unwrap();
    buyer.wait_for(lost, &["REFUNDED"]).await.unwrap();
    open.awaiting(buyer, product).await;
    open.admin.wait_for_stock(product, 8).await.unwrap();
}

/// Reads the streams all the time and adds every entry a second time. Never returns.
async fn publish_twice_as_they_come(open: &Open) {
    let mut redis = open.ledger().await.redis();
    let mut seen = HashSet::new();
    loop {
        let streams: Vec<String> = redis.keys("stream:*").await.unwrap();
        for stream in streams.iter().filter(|stream| !stream.ends_with(":dlq")) {
            let entries: StreamRangeReply = redis.xrange_all(stream).await.unwrap();
            for entry in entries.ids {
                let fields: Fields = entry
                    .map
                    .into_iter()
                    .map(|(name, value)| (name, redis::from_redis_value(value).unwrap()))
                    .collect();
                if seen.insert(fields["event_id"].clone()) {
                    add(&mut redis, stream, &fields).await;
                }
            }
        }
        tokio::task::yield_now().await;
    }
}

/// Adds every event that was ever published once more, from the outboxes: the streams are trimmed.
async fn publish_again(open: &Open) {
    let mut redis = open.ledger().await.redis();
    for service in Service::SIX {
        let Some(url) = open.shop.database_url(service) else { continue };
        let database = sqlx::PgPool::connect(&url).await.unwrap();
        let rows: Vec<(String, Value)> =
            sqlx::query_as("SELECT stream, fields FROM messaging.outbox ORDER BY id")
                .fetch_all(&database)
                .await
                .unwrap();
        for (stream, fields) in rows {
            let fields: Fields = serde_json::from_value(fields).unwrap();
            add(&mut redis, &stream, &fields).await;
        }
    }
}

async fn add(redis: &mut MultiplexedConnection, stream: &str, fields: &Fields) {
    let pairs: Vec<(&String, &String)> = fields.iter().collect();
    let _: String = redis.xadd(stream, "*", &pairs).await.unwrap();
}

/// All that a customer and the administrator can see of the orders.
async fn state(open: &Open, buyer: &Customer, product: i64) -> Value {
    let see = async |path: String, token: String| open.api.get(&path, Some(&token)).await.unwrap().body;
    let orders = see("/api/v1/order?limit=100".into(), buyer.token.clone()).await;
    let mut payments = Vec::new();
    for order in orders.as_array().unwrap() {
        payments.push(see(format!("/api/v1/payment/{}", order["id"]), buyer.token.clone()).await);
    }
    serde_json::json!({
        "orders": orders,
        "payments": payments,
        "deliveries": see("/api/v1/delivery?limit=100".into(), buyer.token.clone()).await,
        "cart": see("/api/v1/cart".into(), buyer.token.clone()).await,
        "product": see(format!("/api/v1/products/{product}"), open.admin.token.clone()).await,
    })
}
