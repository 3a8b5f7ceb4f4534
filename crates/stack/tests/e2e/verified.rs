//! A shop that sells only to accounts with a verified e-mail address.

use serde_json::json;
use stack::shop::ShopOptions;

use crate::contract::accounts::email;
use crate::contract::mails::{received, token};
use crate::harness::{Answer, NOBODY, Open, shared_postgres};

#[tokio::test]
async fn an_account_fills_a_cart_and_orders_once_its_address_is_verified() {
    let mut options = ShopOptions::for_test(shared_postgres()).unwrap();
    options.settings = options.settings.with("REQUIRE_VERIFIED_EMAIL", "true");
    let open = Open::of(options).await;
    let (mut buyer, product) = (open.customer().await, open.product(5).await);
    buyer.add_to_cart(product, 1).await.unwrap();
    open.ask(&buyer.token, "POST /api/v1/order", json!({})).await.refused(409, "email_not_verified");
    let text = received(&open, &email(&buyer), "Please verify your e-mail address").await;
    let proof = json!({"token": token(&text, "verify-email")});
    open.ask(NOBODY, "POST /api/v1/auth/verify-email", proof).await.is(200);
    buyer.log_in_again().await.unwrap();
    buyer.order().await.unwrap();
    open.close().await;
}
