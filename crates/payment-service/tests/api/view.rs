//! `GET /payment/{order_id}`: the owner's look at a payment.

use serde_json::json;

use crate::shop::{ANI, PRICE, Shop};

#[tokio::test]
async fn the_owner_and_an_administrator_see_a_payment_and_nobody_else() {
    let shop = Shop::start().await;
    let token = shop.page(41).await;
    let path = "/api/v1/payment/41";
    let mine = shop.app.customer(ANI).get(path).await.expect(200);
    assert_eq!(mine["payment_url"], format!("http://localhost:8080/midtrans/snap/v4/redirection/{token}"));
    assert!(mine["expires_at"].as_str().unwrap().ends_with('Z'), "{mine}");
    assert_eq!((&mine["status"], &mine["amount"]), (&json!("PENDING"), &json!(PRICE)));
    assert_eq!(shop.app.admin().get(path).await.expect(200), mine);
    shop.app.customer(8).get(path).await.problem(404, "not_found");
    shop.app.customer(ANI).get("/api/v1/payment/42").await.problem(404, "not_found");
    shop.app.anyone().get(path).await.problem(401, "unauthorized");
    shop.app.with_token("x.y.z").get(path).await.problem(401, "unauthorized");
}

#[tokio::test]
async fn a_path_without_an_order_is_malformed() {
    let shop = Shop::start().await;
    for id in ["0", "-1", "x", "9223372036854775808", "1.5", "%F0%9F%8D%8E", "4%00"] {
        let problem =
            shop.app.customer(ANI).get(&format!("/api/v1/payment/{id}")).await.problem(400, "invalid");
        assert_eq!(problem["errors"][0]["field"], "order_id", "{id}: {problem}");
    }
    shop.app.customer(ANI).get("/api/v1/payment/4294967297").await.problem(404, "not_found");
}

#[tokio::test]
async fn whoever_looks_sees_what_midtrans_knows_but_asks_it_rarely() {
    let shop = Shop::start().await;
    let token = shop.page(41).await;
    let look = async || shop.app.customer(ANI).get("/api/v1/payment/41").await.expect(200)["status"].clone();
    assert_eq!(look().await, "PENDING");
    shop.pay(&token, json!({})).await;
    assert_eq!(look().await, "PENDING", "it was asked a moment ago");
    shop.sql("update payments set asked_at = asked_at - interval '5 seconds'").await;
    assert_eq!(look().await, "SUCCESS");
}

#[tokio::test]
async fn strangers_do_not_make_us_ask() {
    let shop = Shop::start().await;
    let token = shop.page(41).await;
    shop.pay(&token, json!({})).await;
    shop.app.customer(8).get("/api/v1/payment/41").await.problem(404, "not_found");
    assert_eq!(shop.status(41).await, "PENDING");
}

#[tokio::test]
async fn without_midtrans_what_is_known_is_shown() {
    let shop = Shop::start().await;
    shop.page(41).await;
    shop.inject_faults(json!({ "down": true })).await;
    assert_eq!(shop.payment(41).await["status"], "PENDING");
}
