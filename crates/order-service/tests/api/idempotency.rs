//! The Idempotency-Key on POST /order: one order, however often it is sent.

use contracts::events::OrderCreated;
use futures::future::join_all;
use order_service::workers::purge_old_keys;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Actor, Reply};
use tonic::Code;

use crate::shop::{ANI, Shop};

const ORDER: &str = "/api/v1/order";

async fn post(actor: &Actor, path: &str, key: &str, body: Option<Value>) -> Reply {
    actor.send(Method::POST, path, &[("idempotency-key", key)], body).await
}

#[tokio::test]
async fn the_same_key_and_request_get_the_first_reply_again_by_either_path() {
    let shop = Shop::open().await;
    let ani = shop.app.customer(ANI);
    let first = post(&ani, ORDER, "k-1", None).await;
    first.expect(201);
    assert_eq!(first.header("idempotency-replayed"), "");
    // What has changed since is of no consequence: the key is looked up before anything else.
    shop.world.set().down.insert("cart", Code::Unavailable);
    shop.world.sell(3, "Kopi Toraja", 1);
    for (path, body) in
        [(ORDER, None), ("/api/v1/checkout", Some(json!({}))), (ORDER, Some(json!({ "product_ids": null })))]
    {
        let again = post(&ani, path, "k-1", body).await;
        again.expect(201);
        assert_eq!(again.text(), first.text());
        assert_eq!(again.header("location"), first.header("location"));
        assert_eq!(again.header("idempotency-replayed"), "true");
    }
    assert_eq!(shop.app.published::<OrderCreated>().await.len(), 1);
}

#[tokio::test]
async fn the_same_key_for_another_request_is_refused() {
    let shop = Shop::open().await;
    let ani = shop.app.customer(ANI);
    post(&ani, ORDER, "k-1", None).await.expect(201);
    let other = Some(json!({ "product_ids": [3] }));
    post(&ani, ORDER, "k-1", other.clone()).await.problem(422, "idempotency_key_reused");
    post(&ani, ORDER, "k-2", other).await.expect(201);
}

#[tokio::test]
async fn keys_of_different_buyers_and_requests_without_a_key_are_apart() {
    let shop = Shop::open().await;
    shop.world.fill(8, &[(3, 1)]);
    let ids = [
        post(&shop.app.customer(ANI), ORDER, "k-1", None).await.expect(201),
        post(&shop.app.customer(8), ORDER, "k-1", None).await.expect(201),
        shop.app.customer(ANI).post(ORDER, json!({})).await.expect(201),
        shop.app.customer(ANI).post(ORDER, json!({})).await.expect(201),
    ];
    let ids: std::collections::BTreeSet<i64> =
        ids.iter().map(|body| body["order_id"].as_i64().unwrap()).collect();
    assert_eq!(ids.len(), 4);
}

#[tokio::test]
async fn a_refusal_is_not_kept() {
    let shop = Shop::open().await;
    let ani = shop.app.customer(ANI);
    shop.world.fill(ANI, &[]);
    post(&ani, ORDER, "k-1", None).await.problem(422, "empty_cart");
    shop.world.fill(ANI, &[(3, 1)]);
    post(&ani, ORDER, "k-1", None).await.expect(201);

    let limited = Shop::open_with(&["--max-open-orders-per-user=1"]).await;
    let ani = limited.app.customer(ANI);
    let first = limited.place().await;
    post(&ani, ORDER, "k-1", None).await.problem(409, "too_many_open_orders");
    limited.pay(first).await;
    post(&ani, ORDER, "k-1", None).await.expect(201);
}

#[tokio::test]
async fn duplicates_at_the_same_moment_are_one_order() {
    let shop = Shop::open_with(&["--max-open-orders-per-user=1"]).await;
    let ani = shop.app.customer(ANI);
    let duplicates = join_all((0..8).map(|_| post(&ani, ORDER, "k-1", None))).await;
    assert_eq!(
        duplicates.iter().filter(|duplicate| duplicate.header("idempotency-replayed").is_empty()).count(),
        1
    );
    for duplicate in &duplicates {
        assert_eq!(duplicate.expect(201), duplicates[0].json());
    }
    assert_eq!(shop.app.published::<OrderCreated>().await.len(), 1);
}

#[tokio::test]
async fn a_key_is_kept_for_a_day_and_then_purged() {
    let shop = Shop::open().await;
    let ani = shop.app.customer(ANI);
    for key in ["young", "old"] {
        post(&ani, ORDER, key, None).await.expect(201);
    }
    let age = "update idempotency_keys set created_at = now() - $2 * interval '1 minute' where key = $1";
    for (key, minutes) in [("young", 24 * 60 - 1), ("old", 24 * 60 + 1)] {
        sqlx::query(age).bind(key).bind(minutes).execute(shop.app.pool()).await.unwrap();
    }
    assert_eq!(purge_old_keys(shop.app.app()).await.unwrap(), 1);
    assert_eq!(post(&ani, ORDER, "young", None).await.header("idempotency-replayed"), "true");
    assert_eq!(post(&ani, ORDER, "old", None).await.header("idempotency-replayed"), "");
}

#[tokio::test]
async fn a_malformed_key_is_refused() {
    let shop = Shop::open().await;
    let ani = shop.app.customer(ANI);
    let (longest, too_long) = ("k".repeat(255), "k".repeat(256));
    for bad in ["", "two words", &too_long] {
        let problem = post(&ani, ORDER, bad, None).await.problem(400, "invalid");
        assert_eq!(problem["errors"][0]["field"], "Idempotency-Key");
    }
    post(&ani, ORDER, &longest, None).await.expect(201);
    let twice = [("idempotency-key", "a"), ("idempotency-key", "b")];
    ani.send(Method::POST, ORDER, &twice, None).await.problem(400, "invalid");
}
