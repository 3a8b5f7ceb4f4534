//! What customers are sent, and what they want of it.

use serde_json::{Value, json};
use stack::actors::{Customer, Poller};
use stack::shop::Service;

use crate::harness::{Answer, Open};

pub async fn hold(open: &Open) {
    a_purchase_is_in_the_mailbox_in_the_customers_language(open).await;
    only_what_bounced_is_sent_again(open).await;
}

/// Waits for a notification of an order, and returns it once it is sent.
async fn sent(open: &Open, buyer: &Customer, order: i64, kind: &str) -> Value {
    let line = format!("GET /api/v1/notification?order_id={order}&state=SENT");
    let mut poller = Poller::new();
    loop {
        let listed = open.ask(&buyer.token, &line, Value::Null).await.is(200);
        if let Some(found) = listed.as_array().unwrap().iter().find(|one| one["kind"] == kind) {
            return found.clone();
        }
        poller.wait(|| format!("order {order}: no {kind} was sent")).await.unwrap();
    }
}

/// A notification that its mail server refused, as far as the service knows.
pub async fn bounced(open: &Open) -> (Customer, i64) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    let order = buyer.order_one(product).await.unwrap();
    let id = sent(open, &buyer, order, "order_received").await["id"].as_i64().unwrap();
    let url = open.shop.database_url(Service::Notification).unwrap();
    let database = sqlx::PgPool::connect(&url).await.unwrap();
    let bounce = sqlx::query("UPDATE notifications SET state = 'BOUNCED' WHERE id = $1").bind(id);
    assert_eq!(bounce.execute(&database).await.unwrap().rows_affected(), 1);
    (buyer, id)
}

async fn a_purchase_is_in_the_mailbox_in_the_customers_language(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    let line = "PUT /api/v1/notification/preferences";
    let chosen = json!({ "language": "id", "email": true, "webhook": true });
    assert_eq!(open.ask(&buyer.token, line, chosen.clone()).await.is(200), chosen);
    let read = "GET /api/v1/notification/preferences";
    assert_eq!(open.ask(&buyer.token, read, Value::Null).await.is(200), chosen);
    let order = open.paid(&buyer, product).await;
    let paid = sent(open, &buyer, order, "paid").await;
    assert_eq!((&paid["channel"], &paid["user_id"]), (&json!("email"), &json!(buyer.id)));
    let mails = open.api.get(&format!("/mail/api/messages?subject=pesanan {order} "), None).await.unwrap();
    let mails = mails.is(200);
    let subject = format!("Pembayaran pesanan {order} sudah kami terima");
    let found = mails.as_array().unwrap().iter().find(|mail| mail["subject"] == subject.as_str());
    assert!(found.is_some_and(|mail| mail["text"].as_str().unwrap().contains("Rp 20.000")), "{mails}");
}

async fn only_what_bounced_is_sent_again(open: &Open) {
    let (buyer, id) = bounced(open).await;
    let line = format!("POST /api/v1/notification/{id}/retry");
    open.ask(&buyer.token, &line, Value::Null).await.refused(403, "forbidden");
    assert_eq!(open.ask(&open.admin.token, &line, Value::Null).await.is(200)["state"], "PENDING");
    open.ask(&open.admin.token, &line, Value::Null).await.refused(409, "not_retriable");
    let unknown = "POST /api/v1/notification/1000000000/retry";
    open.ask(&open.admin.token, unknown, Value::Null).await.refused(404, "not_found");
}
