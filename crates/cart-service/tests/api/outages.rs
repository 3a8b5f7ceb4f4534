//! What a cart does while others are down.

use serde_json::json;

use super::{TestApp, add, cart, content, shop};

#[tokio::test]
async fn the_last_known_prices_serve_while_the_catalogue_is_down() {
    let (app, catalogue) = shop().await;
    let ani = app.customer(7);
    add(&ani, 1, 2).await;
    catalogue.sells(1, "Better keyboard", 500_000, 1);
    let known = cart(&ani).await;
    catalogue.down(true);
    assert_eq!(cart(&ani).await, known, "as it was when last looked at");

    let changed = ani.put("/api/v1/cart/item/1", json!({ "quantity": 1 })).await.expect(200);
    assert_eq!(
        (&changed["cart"]["total_amt"], &changed["cart"]["items"][0]["available"]),
        (&json!(500_000), &json!(true))
    );
    ani.delete("/api/v1/cart/item/1").await.expect(200);
}

#[tokio::test]
async fn nothing_is_added_while_it_cannot_be_known_what_it_is() {
    let (app, catalogue) = shop().await;
    let ani = app.customer(7);
    catalogue.down(true);
    let item = json!({ "product_id": 1, "quantity": 1 });
    let reply = ani.post("/api/v1/cart/item", item).await;
    reply.problem(503, "product_service_unavailable");
    assert!(!reply.header("retry-after").is_empty());
    assert_eq!(content(&cart(&ani).await), []);
    catalogue.down(false);
    assert_eq!(content(&add(&ani, 1, 1).await), [(1, 1)]);
}

#[tokio::test]
async fn a_catalogue_that_was_never_there_does_not_make_the_service_unready() {
    for nowhere in ["http://127.0.0.1:1", "http://no-such-host.invalid:9082"] {
        let app = TestApp::with_flags(&["--product-grpc-url", nowhere]).await;
        let item = json!({ "product_id": 1, "quantity": 1 });
        app.customer(7).post("/api/v1/cart/item", item).await.problem(503, "product_service_unavailable");
        app.start_background().await;
        until_readiness_is(&app, 200).await;
    }
}

#[tokio::test]
async fn without_redis_nothing_is_promised_and_with_it_all_heals() {
    let (mut app, _catalogue) = shop().await;
    let ani = app.customer(7);
    add(&ani, 1, 1).await;
    app.redis().stop().await.unwrap();
    let reply = ani.get("/api/v1/cart").await;
    reply.problem(503, "redis_unavailable");
    assert!(!reply.header("retry-after").is_empty());
    let item = json!({ "product_id": 1, "quantity": 1 });
    ani.post("/api/v1/cart/item", item).await.problem(503, "redis_unavailable");

    app.redis().restart().await.unwrap();
    testkit::eventually("the connection heals", async || {
        (ani.get("/api/v1/cart").await.status() == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn ready_after_a_restart_of_redis_means_that_carts_are_served() {
    let (mut app, _catalogue) = shop().await;
    app.start_background().await;
    let ani = app.customer(7);
    add(&ani, 1, 1).await;
    app.redis().stop().await.unwrap();
    until_readiness_is(&app, 503).await;
    app.redis().restart().await.unwrap();
    until_readiness_is(&app, 200).await;
    ani.get("/api/v1/cart").await.expect(200);
}

async fn until_readiness_is(app: &TestApp, status: u16) {
    testkit::eventually("readiness follows", async || {
        (app.anyone().get("/health/ready").await.status() == status).then_some(())
    })
    .await;
}
