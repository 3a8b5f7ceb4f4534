//! What each route of the documents is tried on, made anew for each: an owner with something of everything.

use serde_json::{Value, json};
use stack::actors::{Customer, Poller};

use super::accounts::{PASSWORD, email, log_in};
use super::documents::Operation;
use super::{addresses, cart, categories, notifications, products, reviews, webhook};
use crate::harness::{Answer, Open};

/// An operation with everything that makes it succeed.
pub struct Subject {
    pub owner: Customer,
    pub path: String,
    pub body: Value,
}

impl Subject {
    /// Something new that the operation can be done with.
    pub async fn of(open: &Open, operation: &Operation) -> Self {
        let (owner, id) = match operation.path.split('/').nth(3).unwrap() {
            "order" if operation.id().is_some() => awaiting(open).await,
            "payment" if operation.path.ends_with("/review") => reviews::in_review(open).await,
            "payment" if operation.id().is_some() => delivered(open).await,
            "delivery" if operation.id().is_some() => delivery(open).await,
            "notification" if operation.id().is_some() => notifications::bounced(open).await,
            _ => something_small(open, operation).await,
        };
        let body = body(open, operation, &owner, id);
        let path = match operation.id() {
            Some(name) => operation.path.replace(&format!("{{{name}}}"), &id.to_string()),
            None => operation.path.clone(),
        };
        Self { owner, path, body }
    }
}

async fn awaiting(open: &Open) -> (Customer, i64) {
    let (owner, product) = (open.customer().await, open.product(5).await);
    let (order, _) = open.awaiting(&owner, product).await;
    (owner, order)
}

async fn delivered(open: &Open) -> (Customer, i64) {
    let (owner, product) = (open.customer().await, open.product(5).await);
    let order = open.paid(&owner, product).await;
    open.delivered(&owner, order).await;
    cart_is_emptied(&owner).await;
    (owner, order)
}

async fn delivery(open: &Open) -> (Customer, i64) {
    let (owner, product) = (open.customer().await, open.product(5).await);
    let order = open.paid(&owner, product).await;
    let delivery = owner.wait_for_delivery(order).await.unwrap();
    cart_is_emptied(&owner).await;
    (owner, delivery["id"].as_i64().unwrap())
}

/// The last thing that a payment brings about by itself.
async fn cart_is_emptied(owner: &Customer) {
    let mut poller = Poller::new();
    while owner.cart().await.unwrap()["total_qty"] != 0 {
        poller.wait(|| "what was paid is still in the cart".to_owned()).await.unwrap();
    }
}

/// What takes one request to make. An owner has a product in the cart in any case.
async fn something_small(open: &Open, operation: &Operation) -> (Customer, i64) {
    let (owner, product) = (open.customer().await, open.product(5).await);
    cart::add(open, &owner.token, product, 1).await.is(200);
    let id = match operation.path.split('/').nth(4) {
        Some("addresses") => {
            let added = open.ask(&owner.token, "POST /api/v1/auth/addresses", addresses::address()).await;
            added.is(201)["id"].as_i64().unwrap()
        }
        Some("sessions") => {
            log_in(open, &email(&owner), PASSWORD).await.is(200);
            let sessions = open.ask(&owner.token, "GET /api/v1/auth/sessions", Value::Null).await.is(200);
            let another = sessions.as_array().unwrap().iter().find(|session| session["current"] == false);
            another.unwrap()["id"].as_i64().unwrap()
        }
        Some("users") => owner.id,
        _ if operation.path.contains("/categories") => categories::make(open, &categories::some_name()).await,
        _ => product,
    };
    (owner, id)
}

fn body(open: &Open, operation: &Operation, owner: &Customer, id: i64) -> Value {
    let unique = format!("{:016x}", rand::random::<u64>());
    match operation.name().trim_start_matches(|c| c != '/').trim_start_matches("/api/v1/") {
        _ if operation.body().is_none() => Value::Null,
        "register" => {
            json!({"username": unique, "email": format!("{unique}@example.com"), "password": PASSWORD})
        }
        "login" => json!({"email": email(owner), "password": PASSWORD}),
        "auth/refresh" => json!({"refresh_token": unique}),
        "auth/verify-email" => json!({"token": unique}),
        "auth/change-email" => {
            json!({"email": format!("{unique}@example.com"), "current_password": PASSWORD})
        }
        "auth/forgot-password" => json!({"email": email(owner)}),
        "auth/reset-password" => json!({"token": unique, "new_password": PASSWORD}),
        "auth/users/{id}" => json!({"staff_roles": []}),
        "auth/profile" => json!({"username": unique}),
        "auth/change-password" => json!({"old_password": PASSWORD, "new_password": PASSWORD}),
        "auth/addresses" | "auth/addresses/{id}" => addresses::address(),
        "products" | "products/{id}" => products::body(&unique),
        "products/{id}/stock" => json!({"add": 1}),
        "categories" | "categories/{id}" => json!({"name": unique}),
        "cart/item" => json!({"product_id": id, "quantity": 1}),
        "cart/item/{product_id}" => json!({"quantity": 2}),
        "payment/{order_id}/refund" => json!({"amount": 1, "method": "manual", "reference": "BCA 4711"}),
        "payment/{order_id}/review" => json!({"decision": "refund"}),
        "notification/preferences" => json!({"language": "id", "email": false, "webhook": false}),
        "delivery/{id}/status" => json!({"status": "IN_TRANSIT"}),
        "payment/webhook" | "webhook" => webhook::signed(open, &unique, "20000.00"),
        _ => json!({}),
    }
}
