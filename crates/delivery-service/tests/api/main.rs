//! delivery-service from the outside: over HTTP, over gRPC and by events.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod deliveries;
mod grpc;
mod order_paid;
mod payments;
mod status;
mod streams;

use std::ops::Deref;

use contracts::{
    OrderId, ProductId, UserId,
    events::{Item, OrderPaid, ShippingAddress},
};
use delivery_service::{DeliveryService, consumers};
use messaging::Delivered;
use payments::Payments;
use serde_json::{Value, json};
use testkit::TestService;
use time::macros::datetime;

/// A delivery-service with a fake payment-service beside it.
struct TestApp {
    service: TestService<DeliveryService>,
    payments: Payments,
}

impl TestApp {
    async fn start() -> Self {
        let payments = Payments::default();
        let url = testkit::serve_grpc(payments.routes()).await;
        let service = TestService::with_flags(&[&format!("--payment-grpc-url={url}")]).await;
        Self { service, payments }
    }
}

impl Deref for TestApp {
    type Target = TestService<DeliveryService>;

    fn deref(&self) -> &Self::Target {
        &self.service
    }
}

/// An order of a user, as order-service publishes that it is paid.
fn paid(order: i64, user: i64) -> OrderPaid {
    OrderPaid {
        order_id: OrderId::try_from(order).unwrap(),
        user_id: UserId::try_from(user).unwrap(),
        total_amount: 250_000,
        items: vec![Item { product_id: ProductId::try_from(3_i64).unwrap(), quantity: 2 }],
        ordered_at: datetime!(2026-01-02 03:04:05 UTC),
        cart_read_at: None,
        shipping_address: None,
    }
}

fn address() -> ShippingAddress {
    ShippingAddress {
        recipient: "Ani".to_owned(),
        phone: "+62 811".to_owned(),
        street: "Jl. Mawar 1".to_owned(),
        city: "Bandung".to_owned(),
        province: None,
        postal_code: "40111".to_owned(),
        country: "ID".to_owned(),
    }
}

/// Starts the delivery of an order of a user, and returns its path.
async fn start(app: &TestApp, order: i64, user: i64) -> String {
    let delivered = testkit::deliver(&consumers::consumer(app.app()), paid(order, user)).await;
    assert!(matches!(delivered, Delivered::Applied), "{delivered:?}");
    let found = app.admin().get(&format!("/api/v1/delivery?order_id={order}")).await.expect(200);
    format!("/api/v1/delivery/{}", found[0]["id"])
}

async fn advance(app: &TestApp, path: &str, status: &str) -> Value {
    app.admin().put(&format!("{path}/status"), json!({ "status": status })).await.expect(200)
}

/// The states a delivery went through.
fn history(delivery: &Value) -> Vec<&str> {
    delivery["history"].as_array().unwrap().iter().map(|change| change["status"].as_str().unwrap()).collect()
}
