//! Nights that must not need a person: processes that are frozen, letters that nobody could read, a Redis that is empty.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use serde_json::json;
use sqlx::PgPool;
use stack::actors::Poller;
use stack::api::{Api, number};
use stack::dead_letters::Place;
use stack::replay::{Selection, replay};
use stack::shop::Service;
use tokio::time::timeout;

use crate::harness::Open;

/// Nothing waits for longer for what is not its own fault.
const BOUND: Duration = Duration::from_secs(15);

pub async fn database(open: &Open, service: Service) -> PgPool {
    PgPool::connect(&open.shop.database_url(service).unwrap()).await.unwrap()
}

async fn wait_until_published(database: &PgPool) {
    let unpublished = "SELECT count(*) FROM messaging.outbox WHERE published_at IS NULL";
    let mut poller = Poller::new();
    while sqlx::query_scalar::<_, i64>(unpublished).fetch_one(database).await.unwrap() > 0 {
        poller.wait(|| "the outbox is not empty".to_owned()).await.unwrap();
    }
}

#[tokio::test]
async fn another_replica_publishes_when_the_one_with_the_lock_is_frozen() {
    let mut open = Open::shop().await;
    let (buyer, product) = (open.customer().await, open.product(5).await);
    // It comes second, so the lock is the other's.
    let replica = open.shop.replica(Service::Order).await.unwrap();
    let by_replica = Api::new(&replica.url).unwrap();
    open.awaiting(&buyer, product).await;

    open.shop.set_frozen(Service::Order, true).unwrap();
    buyer.add_to_cart(product, 1).await.unwrap();
    let placed = by_replica.post("/api/v1/order", Some(&buyer.token), &json!({})).await.unwrap();
    let order = number(&placed.expect(201).unwrap(), "/order_id").unwrap();
    let orders = database(&open, Service::Order).await;
    timeout(BOUND, wait_until_published(&orders)).await.expect("the replica publishes");
    // What the frozen one was about to read, the replica claims.
    let path = format!("/api/v1/order/{order}");
    let mut poller = Poller::new();
    loop {
        let seen = by_replica.get(&path, Some(&buyer.token)).await.unwrap().expect(200).unwrap();
        if seen["status"] == "AWAITING_PAYMENT" {
            break;
        }
        poller.wait(|| format!("{seen}")).await.unwrap();
    }

    open.shop.set_frozen(Service::Order, false).unwrap();
    open.awaiting(&buyer, product).await;
    drop(replica);
    open.awaiting(&buyer, product).await;
    timeout(BOUND, wait_until_published(&orders)).await.expect("the thawed one publishes");
    open.close().await;
}

/// Publishes an event of tomorrow, which no consumer of today can read.
pub async fn publish_unreadable(open: &Open) -> String {
    let event_id = uuid::Uuid::now_v7().to_string();
    let fields = json!({"event_id": event_id, "type": "OrderPaid", "version": "2", "order_id": "1",
        "occurred_at": "2026-11-01T00:00:00Z", "correlation_id": "tomorrow", "traceparent": ""});
    let append = "INSERT INTO messaging.outbox (stream, fields) VALUES ('stream:orders:paid', $1)";
    sqlx::query(append).bind(fields).execute(&database(open, Service::Order).await).await.unwrap();
    event_id
}

/// Waits until these, and no others, have an open letter of this event; in Redis there is cart's alone.
pub async fn wait_for_letters(open: &Open, event_id: &str) -> Vec<Place> {
    let mut letters = open.ledger().await.dead_letters();
    let mut poller = Poller::new();
    loop {
        let open_now = letters.open().await.unwrap();
        let groups: Vec<&str> = open_now.iter().map(|letter| letter.group.as_str()).collect();
        if groups == ["product-group", "delivery-group", "notification-group", "cart-group"] {
            assert!(open_now.iter().all(|letter| letter.event_id() == Some(event_id)));
            assert!(matches!(open_now[3].place, Place::Redis(..)));
            return open_now.into_iter().map(|letter| letter.place).collect();
        }
        poller.wait(|| format!("dead letters of {groups:?}")).await.unwrap();
    }
}

async fn delete_all_events(redis: &mut MultiplexedConnection) {
    let () = redis::cmd("FLUSHALL").query_async(redis).await.unwrap();
}

#[tokio::test]
async fn dead_letters_outlive_redis_and_can_be_put_back_or_discarded() {
    let open = Open::shop().await;
    let event_id = publish_unreadable(&open).await;
    let first = wait_for_letters(&open, &event_id).await;
    // A day later, the row would be gone; Redis loses everything.
    let orders = database(&open, Service::Order).await;
    let yesterday = "UPDATE messaging.outbox SET published_at = now() - interval '25 hours'
                     WHERE published_at IS NOT NULL";
    sqlx::query(yesterday).execute(&orders).await.unwrap();
    let mut redis = open.ledger().await.redis();
    delete_all_events(&mut redis).await;
    let second = wait_for_letters(&open, &event_id).await;
    assert_eq!(first[..1], second[..1], "in the databases it is the same letter");
    let l6 = open.ledger().await.check().await.unwrap().remove(5);
    assert!(!l6.holds() && l6.words().iter().any(|line| line.contains("product-group")), "{l6:?}");

    // Put back, it is read once more by all, and dies once more.
    let mut letters = open.ledger().await.dead_letters();
    replay(&mut letters, &Selection::default()).await.unwrap();
    let third = wait_for_letters(&open, &event_id).await;
    assert_ne!(first[0], third[0]);
    for letter in letters.open().await.unwrap() {
        letters.discard(&letter, "nobody needs it").await.unwrap();
    }
    letters.remove_closed_copies().await.unwrap();
    assert!(letters.open().await.unwrap().is_empty());
    open.close().await;
}

#[tokio::test]
async fn an_event_that_is_put_back_is_handled_by_those_that_have_not() {
    let open = Open::shop().await;
    let (buyer, product) = (open.customer().await, open.product(5).await);
    let order = open.paid(&buyer, product).await;
    buyer.wait_for_delivery(order).await.unwrap();
    open.ledger().await.settled().await.unwrap();
    // As if delivery-service had given up the event that it has handled, and the delivery been lost.
    let (orders, deliveries) =
        (database(&open, Service::Order).await, database(&open, Service::Delivery).await);
    let paid = "SELECT fields FROM messaging.outbox WHERE stream = 'stream:orders:paid'";
    let event: sqlx::types::Json<std::collections::BTreeMap<String, String>> =
        sqlx::query_scalar(paid).fetch_one(&orders).await.unwrap();
    let (names, contents): (Vec<Vec<u8>>, Vec<Vec<u8>>) =
        event.0.into_iter().map(|(name, value)| (name.into_bytes(), value.into_bytes())).unzip();
    let letter =
        "INSERT INTO messaging.dead_letters (consumer, stream, entry_id, names, contents, error, tries,
                      first_failed_at)
                  VALUES ('delivery-group', 'stream:orders:paid', '1-1', $1, $2, 'a bug', 10, now())";
    sqlx::query(letter).bind(names).bind(contents).execute(&deliveries).await.unwrap();
    for lost in ["TRUNCATE deliveries CASCADE", "DELETE FROM messaging.inbox"] {
        sqlx::query(lost).execute(&deliveries).await.unwrap();
    }
    let mut letters = open.ledger().await.dead_letters();
    assert_eq!(replay(&mut letters, &Selection::default()).await.unwrap(), 1);
    buyer.wait_for_delivery(order).await.unwrap();
    assert_eq!(replay(&mut letters, &Selection::default()).await.unwrap(), 0);
    open.delivered(&buyer, order).await;
    open.close().await;
}
