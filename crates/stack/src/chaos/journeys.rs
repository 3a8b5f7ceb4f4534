//! The ways in which a purchase goes.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::record::End;
use super::traffic::{GIVES_UP, PRICE, Traffic};
use crate::actors::{Customer, page_token};
use crate::api::Reply;

/// Each with its share.
pub(super) const JOURNEYS: [(&str, u32); 9] = [
    ("paid", 20),
    ("delivered", 25),
    ("denied, then paid", 8),
    ("never paid", 8),
    ("expired", 6),
    ("cancelled", 12),
    ("undeliverable", 8),
    ("refunded in part", 6),
    ("the last unit", 7),
];

impl Traffic<'_> {
    /// Several want the only unit there is.
    pub(super) async fn last_unit(&self, buyer: &Customer) -> Option<End> {
        let body = json!({"name": format!("The last {:012x}", rand::random::<u64>() >> 16), "price": PRICE,
            "stock": 1, "category_ids": []});
        let made = self.post("POST /products", "/api/v1/products", &self.admin_token(), &body).await?;
        let product = made.body.pointer("/product/id").and_then(Value::as_i64);
        // A repetition of what was made already.
        let Some(product) = product else { return Some(End::Refused) };
        let guest = self.take();
        let other = async {
            match &guest {
                Some(guest) => self.buy(&guest.customer, product, "paid").await,
                None => None,
            }
        };
        let (end, _) = tokio::join!(self.buy(buyer, product, "paid"), other);
        self.put_back(guest);
        end
    }

    /// One purchase from the cart to its end. Nothing if the buyer gave up.
    pub(super) async fn buy(&self, buyer: &Customer, product: i64, journey: &str) -> Option<End> {
        let Some(order) = self.place(buyer, product).await? else { return Some(End::Refused) };
        let seen = self.wait(buyer, order, &["AWAITING_PAYMENT", "FAILED"]).await?;
        if seen["status"] == "FAILED" {
            return Some(End::Refused);
        }
        let page = page_token(&seen).unwrap_or_default();
        let expected = match journey {
            "never paid" => return Some(End::Done),
            "cancelled" => {
                let path = format!("/api/v1/order/{order}/cancel");
                self.post("POST /order/{id}/cancel", &path, &buyer.token, &json!({})).await?;
                ["CANCELLED"].as_slice()
            }
            "expired" => {
                self.pay(page, json!({"payment_type": "bank_transfer", "outcome": "expire"})).await?;
                &["FAILED"]
            }
            _ => {
                if journey == "denied, then paid" {
                    let card = json!({"payment_type": "credit_card", "card_number": "4911111111111113"});
                    self.pay(page, card).await?;
                }
                self.pay(page, method(journey)).await?;
                &["PAID"]
            }
        };
        let end = [expected, &["FAILED", "CANCELLED", "REFUNDED"]].concat();
        let seen = self.wait(buyer, order, &end).await?;
        let as_expected = expected.iter().any(|status| seen["status"] == *status);
        if !as_expected {
            return Some(End::Refused);
        }
        self.after_paying(buyer, order, journey).await
    }

    async fn after_paying(&self, buyer: &Customer, order: i64, journey: &str) -> Option<End> {
        let last = match journey {
            "delivered" | "refunded in part" => "DELIVERED",
            "undeliverable" => "FAILED",
            _ => return Some(End::Done),
        };
        let delivery = self.delivery(buyer, order).await?;
        let path = format!("/api/v1/delivery/{delivery}/status");
        for status in ["IN_TRANSIT", last] {
            let body = json!({"status": status});
            let put = || self.request(Method::PUT, &path, &self.admin_token(), &body);
            self.ask("PUT /delivery/{id}/status", put).await?;
        }
        let status = if last == "FAILED" { "REFUNDED" } else { last };
        self.wait(buyer, order, &[status]).await?;
        if journey == "refunded in part" {
            let path = format!("/api/v1/payment/{order}/refund");
            let (key, body) = (format!("{:032x}", rand::random::<u128>()), json!({"amount": PRICE / 4}));
            let refund = || {
                self.request(Method::POST, &path, &self.admin_token(), &body).header("Idempotency-Key", &key)
            };
            self.ask("POST /payment/{id}/refund", refund).await?;
        }
        Some(End::Done)
    }

    /// The order, if the shop took it.
    pub(super) async fn place(&self, buyer: &Customer, product: i64) -> Option<Option<i64>> {
        let key = format!("{:032x}", rand::random::<u128>());
        let (item, all) = (json!({"product_id": product, "quantity": 1}), json!({"product_ids": [product]}));
        let began = Instant::now();
        while began.elapsed() < GIVES_UP {
            self.post("POST /cart/item", "/api/v1/cart/item", &buyer.token, &item).await?;
            let order = || {
                self.request(Method::POST, "/api/v1/order", &buyer.token, &all)
                    .header("Idempotency-Key", &key)
            };
            let placed = self.ask("POST /order", order).await?;
            if placed.status == 201 {
                let order = placed.body["order_id"].as_i64()?;
                self.record.order(order, buyer.id);
                return Some(Some(order));
            }
            // A cart is in Redis: it may have gone with it.
            if placed.status != 422 {
                return Some(None);
            }
        }
        None
    }

    /// Acts on a payment page. A repetition of what has happened is refused there, which is as good.
    async fn pay(&self, page: &str, mut how: Value) -> Option<Reply> {
        how["token"] = json!(page);
        let pay = || self.api.request(Method::POST, "/midtrans/sandbox/pay").json(&how);
        self.ask("the payment page", pay).await
    }

    pub(super) async fn wait(&self, buyer: &Customer, order: i64, statuses: &[&str]) -> Option<Value> {
        let path = format!("/api/v1/order/{order}");
        self.poll("GET /order/{id}", &path, buyer, |seen| {
            let status = seen["status"].as_str().unwrap_or_default();
            statuses.contains(&status).then(|| seen.clone())
        })
        .await
    }

    async fn delivery(&self, buyer: &Customer, order: i64) -> Option<i64> {
        let path = format!("/api/v1/delivery?order_id={order}");
        self.poll("GET /delivery", &path, buyer, |seen| seen[0]["id"].as_i64()).await
    }
}

/// How the customer pays, and what becomes of the notification about it.
fn method(journey: &str) -> Value {
    let mut method = match journey {
        // Only what has settled can be refunded in part.
        "refunded in part" => json!({"payment_type": "qris"}),
        _ => json!({"payment_type": "credit_card", "card_number": "4811111111111114"}),
    };
    let notify = match rand::random_range(0..20) {
        0..=2 => json!({"drop": true}),
        3..=5 => json!({"times": 3}),
        6..=8 => json!({"delay_ms": 3000}),
        9 => json!({"forge": true}),
        10 => json!({"gross_amount": 1}),
        _ => json!({}),
    };
    method["notify"] = notify;
    method
}
