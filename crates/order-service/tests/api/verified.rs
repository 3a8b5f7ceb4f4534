//! Shops that sell only to accounts with a verified e-mail address.

use chassis::{Claims, Role};
use contracts::events::OrderCreated;
use reqwest::Method;
use serde_json::json;
use testkit::Actor;

use crate::shop::{ANI, Shop};

const ORDER: &str = "/api/v1/order";

/// Ani, whose address nobody has verified.
fn unverified(shop: &Shop) -> Actor {
    let claims = Claims { email_verified: false, ..testkit::claims(ANI, Role::User) };
    shop.app.with_token(&shop.app.context().tokens.sign(&claims).unwrap())
}

#[tokio::test]
async fn where_it_is_required_only_a_verified_address_may_order() {
    let shop = Shop::open_with(&["--require-verified-email=true"]).await;
    for path in [ORDER, "/api/v1/checkout"] {
        unverified(&shop).post(path, json!({})).await.problem(409, "email_not_verified");
    }
    assert!(shop.app.published::<OrderCreated>().await.is_empty());
    unverified(&shop).get(ORDER).await.expect(200);
    shop.app.customer(ANI).post(ORDER, json!({})).await.expect(201);
}

#[tokio::test]
async fn an_order_that_was_placed_before_is_answered_again() {
    let shop = Shop::open_with(&["--require-verified-email=true"]).await;
    let key = [("idempotency-key", "k-1")];
    let first = shop.app.customer(ANI).send(Method::POST, ORDER, &key, None).await;
    let again = unverified(&shop).send(Method::POST, ORDER, &key, None).await;
    assert_eq!((again.expect(201), again.header("idempotency-replayed")), (first.expect(201), "true"));
}

#[tokio::test]
async fn by_default_nobody_has_to_verify_anything() {
    let shop = Shop::open().await;
    unverified(&shop).post(ORDER, json!({})).await.expect(201);
}
