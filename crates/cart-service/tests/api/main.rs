//! cart-service from the outside: over HTTP, over gRPC and by events, with a catalogue of the test's own.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod cart;
mod catalogue;
mod grpc;
mod items;
mod order_paid;
mod outages;

use cart_service::CartService;
use catalogue::Catalogue;
use redis::{AsyncCommands, aio::MultiplexedConnection};
use serde_json::{Value, json};
use testkit::{Actor, TestService};

type TestApp = TestService<CartService>;

const WEEK: i64 = 604_800;

/// The service, and the catalogue that it asks for every cart.
async fn shop() -> (TestApp, Catalogue) {
    shop_with(&["--cart-catalogue-max-age-ms", "0"]).await
}

async fn shop_with(flags: &[&str]) -> (TestApp, Catalogue) {
    let catalogue = Catalogue::default();
    catalogue.sells(1, "Keyboard", 450_000, 10);
    catalogue.sells(2, "Mouse", 150_000, 10);
    catalogue.sells(3, "Screen", 2_000_000, 0);
    let url = catalogue.serve().await;
    let flags = [&["--product-grpc-url", &url], flags].concat();
    (TestApp::with_flags(&flags).await, catalogue)
}

/// Adds units of a product, and returns the cart.
async fn add(actor: &Actor, product_id: i64, quantity: i64) -> Value {
    let body = json!({ "product_id": product_id, "quantity": quantity });
    actor.post("/api/v1/cart/item", body).await.expect(200)["cart"].take()
}

async fn cart(actor: &Actor) -> Value {
    actor.get("/api/v1/cart").await.expect(200)
}

/// Products and quantities, in the order shown.
fn content(cart: &Value) -> Vec<(i64, i64)> {
    let number = |item: &Value, name: &str| item[name].as_i64().unwrap();
    let items = cart["items"].as_array().unwrap().iter();
    items.map(|item| (number(item, "product_id"), number(item, "quantity"))).collect()
}

async fn carts(app: &TestApp) -> MultiplexedConnection {
    app.redis_client(0).get_multiplexed_async_connection().await.unwrap()
}

/// Makes a cart live for less than a week, so that it shows whether something renewed it.
async fn age(app: &TestApp, user: i64) {
    let _set: bool = carts(app).await.expire(format!("cart:{user}"), 1000).await.unwrap();
}

async fn seconds_left(app: &TestApp, user: i64) -> i64 {
    carts(app).await.ttl(format!("cart:{user}")).await.unwrap()
}
