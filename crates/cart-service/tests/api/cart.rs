//! The whole cart: `GET /cart` and `DELETE /cart`.

use futures::future::join_all;
use serde_json::json;

use super::{WEEK, add, age, cart, content, seconds_left, shop, shop_with};

#[tokio::test]
async fn an_empty_cart_has_no_items() {
    let (app, catalogue) = shop().await;
    let empty = json!({ "user_id": 7, "items": [], "total_qty": 0, "total_amt": 0 });
    assert_eq!(cart(&app.customer(7)).await, empty);
    assert_eq!(catalogue.calls(), 0, "there is nothing to ask");
}

#[tokio::test]
async fn a_cart_shows_its_lines_in_the_order_added_with_their_totals() {
    let (app, catalogue) = shop().await;
    let ani = app.customer(7);
    add(&ani, 2, 3).await;
    add(&ani, 1, 1).await;
    add(&ani, 3, 1).await;
    add(&ani, 2, 1).await;
    catalogue.calls();
    let line = |id: i64, name: &str, price: i64, quantity: i64, available: bool| {
        json!({ "product_id": id, "name": name, "price": price, "quantity": quantity,
                "subtotal": price * quantity, "available": available, "price_changed": false })
    };
    let items = [
        line(2, "Mouse", 150_000, 4, true),
        line(1, "Keyboard", 450_000, 1, true),
        line(3, "Screen", 2_000_000, 1, false),
    ];
    let expected = json!({ "user_id": 7, "items": items, "total_qty": 6, "total_amt": 3_050_000 });
    assert_eq!(cart(&ani).await, expected);
    assert_eq!(catalogue.calls(), 1, "one call for the whole cart");
    assert_eq!(content(&cart(&app.customer(8)).await), [], "somebody else's is another");
}

#[tokio::test]
async fn a_cart_shows_todays_name_price_and_stock() {
    let (app, catalogue) = shop().await;
    let ani = app.customer(7);
    add(&ani, 1, 2).await;
    catalogue.sells(1, "Better keyboard", 500_000, 1);
    let line = &cart(&ani).await["items"][0];
    assert_eq!((&line["name"], &line["price"]), (&json!("Better keyboard"), &json!(500_000)));
    assert_eq!((&line["price_changed"], &line["available"]), (&json!(true), &json!(false)));

    let again = add(&ani, 1, 1).await;
    assert_eq!(again["items"][0]["price_changed"], true, "it was first added for less");
    catalogue.sells(1, "Keyboard", 450_000, 3);
    let line = &cart(&ani).await["items"][0];
    assert_eq!((&line["price_changed"], &line["available"]), (&json!(false), &json!(true)));
}

#[tokio::test]
async fn carts_that_wait_at_the_same_time_ask_together() {
    const CARTS: i64 = 20;
    let (app, catalogue) = shop().await;
    join_all((1..=CARTS).map(async |user| add(&app.customer(user), 1, 1).await)).await;
    catalogue.calls();
    let answers = catalogue.hold_answers().await;
    let carts = join_all((1..=CARTS).map(async |user| cart(&app.customer(user)).await));
    let release = async {
        testkit::eventually("the first one asks", async || (catalogue.calls_so_far() > 0).then_some(()))
            .await;
        drop(answers);
    };
    let (carts, ()) = tokio::join!(carts, release);
    assert!(carts.iter().all(|cart| content(cart) == [(1, 1)]));
    let calls = catalogue.calls();
    assert!(calls < carts.len(), "{calls} calls for {CARTS} carts");
}

#[tokio::test]
async fn a_change_of_the_catalogue_is_shown_although_answers_are_kept() {
    let (app, catalogue) = shop_with(&[]).await;
    let ani = app.customer(7);
    add(&ani, 1, 2).await;
    catalogue.sells(1, "Keyboard", 500_000, 1);
    testkit::eventually("the new price and stock are shown", async || {
        let line = &cart(&ani).await["items"][0];
        (line["price"] == 500_000 && line["price_changed"] == true && line["available"] == false)
            .then_some(())
    })
    .await;
    catalogue.removes(1);
    testkit::eventually("it cannot be added any more", async || {
        let item = json!({ "product_id": 1, "quantity": 1 });
        (ani.post("/api/v1/cart/item", item).await.status() == 404).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_product_that_is_gone_stays_in_sight_but_cannot_be_bought() {
    let (app, catalogue) = shop().await;
    let ani = app.customer(7);
    add(&ani, 1, 1).await;
    catalogue.removes(1);
    let line = &cart(&ani).await["items"][0];
    assert_eq!((&line["name"], &line["price"]), (&json!("Keyboard"), &json!(450_000)));
    assert_eq!((&line["available"], &line["price_changed"]), (&json!(false), &json!(false)));
}

#[tokio::test]
async fn the_dearest_cart_adds_up() {
    let (app, catalogue) = shop().await;
    catalogue.sells(9, "Diamond", 1_000_000_000_000, 1000);
    let cart = add(&app.customer(7), 9, 1000).await;
    assert_eq!(cart["total_amt"], 1_000_000_000_000_000_i64);
}

#[tokio::test]
async fn a_cart_is_emptied_at_once() {
    let (app, _catalogue) = shop().await;
    let (ani, budi) = (app.customer(7), app.customer(8));
    add(&ani, 1, 1).await;
    add(&budi, 1, 1).await;
    assert!(ani.delete("/api/v1/cart").await.expect(200)["message"].is_string());
    assert_eq!(content(&cart(&ani).await), []);
    ani.delete("/api/v1/cart").await.expect(200);
    assert_eq!(content(&cart(&budi).await), [(1, 1)]);
}

#[tokio::test]
async fn a_cart_lives_for_a_week_after_its_last_change_and_no_longer_for_being_looked_at() {
    let (app, catalogue) = shop().await;
    let ani = app.customer(7);
    add(&ani, 1, 1).await;
    add(&ani, 2, 1).await;
    let renewed = async || seconds_left(&app, 7).await > WEEK - 60;
    assert!(renewed().await);

    age(&app, 7).await;
    catalogue.sells(1, "Keyboard", 500_000, 10);
    cart(&ani).await;
    assert!(!renewed().await, "looking is no change, though another price was kept");
    add(&ani, 1, 1).await;
    assert!(renewed().await);
    age(&app, 7).await;
    ani.put("/api/v1/cart/item/1", json!({ "quantity": 4 })).await.expect(200);
    assert!(renewed().await);
    age(&app, 7).await;
    ani.delete("/api/v1/cart/item/1").await.expect(200);
    assert!(renewed().await);
}

#[tokio::test]
async fn a_cart_needs_its_owner() {
    let (app, _catalogue) = shop().await;
    app.anyone().get("/api/v1/cart").await.problem(401, "unauthorized");
    app.anyone().delete("/api/v1/cart").await.problem(401, "unauthorized");
    let item = json!({ "product_id": 1, "quantity": 1 });
    app.anyone().post("/api/v1/cart/item", item).await.problem(401, "unauthorized");
    app.anyone().put("/api/v1/cart/item/1", json!({ "quantity": 1 })).await.problem(401, "unauthorized");
    app.anyone().delete("/api/v1/cart/item/1").await.problem(401, "unauthorized");
}
