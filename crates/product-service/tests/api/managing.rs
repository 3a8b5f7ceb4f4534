//! POST, PUT and DELETE /products, and POST /products/{id}/stock.

use serde_json::{Value, json};

use crate::{
    PRODUCTS, Shop, assert_ledger, at, category, consume, created, movements, order_id, product, seen, units,
};

fn new(name: &str) -> Value {
    json!({ "name": name, "description": "Fine", "price": 5, "stock": 3, "category_ids": [] })
}

#[tokio::test]
async fn an_administrator_puts_a_product_on_sale() {
    let app = Shop::start().await;
    let drinks = category(&app, "Drinks").await;
    let body = json!({
        "name": "  Kopi ☕ ", "description": "d", "price": 1_000_000_000_000_i64,
        "stock": 1_000_000_000, "category_ids": [drinks],
    });
    let reply = app.admin().post(PRODUCTS, body).await;
    let saved = reply.expect(201);
    let id = saved["product"]["id"].as_i64().unwrap();
    assert_eq!(reply.header("location"), at(id));
    assert!(saved["message"].is_string());
    assert_eq!(saved["product"], seen(&app, id).await);
    assert_eq!(saved["product"]["name"], "Kopi ☕");
    assert_eq!(saved["product"]["held"], 0);
    assert_eq!(saved["product"]["categories"][0]["id"], drinks);
    assert_eq!(movements(&app, id).await, [("admin".to_owned(), 1_000_000_000)]);
}

#[tokio::test]
async fn only_an_administrator_changes_the_catalogue() {
    let app = Shop::start().await;
    let id = product(&app, "Kopi", 3).await;
    for (actor, status, code) in [(app.anyone(), 401, "unauthorized"), (app.customer(7), 403, "forbidden")] {
        actor.post(PRODUCTS, new("Teh")).await.problem(status, code);
        actor.put(&at(id), json!({ "price": 1 })).await.problem(status, code);
        actor.delete(&at(id)).await.problem(status, code);
        actor.post(&format!("{}/stock", at(id)), json!({ "add": 1 })).await.problem(status, code);
    }
    assert_eq!(seen(&app, id).await["price"], 10_000);
    assert_eq!(units(&app, id).await, (3, 0));
}

#[tokio::test]
async fn a_name_is_taken_only_while_its_product_is_on_sale() {
    let app = Shop::start().await;
    let root = app.admin();
    let first = product(&app, "Kopi", 1).await;
    let other = product(&app, "Teh", 1).await;
    root.post(PRODUCTS, new("KOPI")).await.problem(409, "name_taken");
    root.put(&at(other), json!({ "name": "kopi" })).await.problem(409, "name_taken");
    root.put(&at(first), json!({ "name": "kopi" })).await.expect(200);
    for (name, same) in [("Straße", "STRASSE"), ("ΣΟΦΟΣ", "σοφοσ"), ("Café", "CAFE\u{301}")] {
        root.post(PRODUCTS, new(name)).await.expect(201);
        root.post(PRODUCTS, new(same)).await.problem(409, "name_taken");
    }

    root.delete(&at(first)).await.expect(200);
    root.get(&at(first)).await.problem(404, "not_found");
    root.put(&at(first), json!({ "price": 1 })).await.problem(404, "not_found");
    root.post(&format!("{}/stock", at(first)), json!({ "add": 1 })).await.problem(404, "not_found");
    root.delete(&at(first)).await.problem(404, "not_found");
    root.post(PRODUCTS, new("Kopi")).await.expect(201);
}

#[tokio::test]
async fn an_unknown_category_is_named_and_nothing_is_made() {
    let app = Shop::start().await;
    let drinks = category(&app, "Drinks").await;
    let id = product(&app, "Kopi", 1).await;
    let body = json!({ "name": "Teh", "price": 5, "stock": 3, "category_ids": [drinks, 999] });
    let problem = app.admin().post(PRODUCTS, body).await.problem(422, "unknown_category");
    assert_eq!(problem["category_ids"], json!([999]));
    let change = json!({ "price": 77, "category_ids": [999] });
    app.admin().put(&at(id), change).await.problem(422, "unknown_category");
    assert_eq!(seen(&app, id).await["price"], 10_000);
    assert_eq!(app.anyone().get(PRODUCTS).await.expect(200)["total"], 1);
}

#[tokio::test]
async fn what_a_change_leaves_out_stays_as_it_is() {
    let app = Shop::start().await;
    let (drinks, food) = (category(&app, "Drinks").await, category(&app, "Food").await);
    let body =
        json!({ "name": "Kopi", "description": "d", "price": 5, "stock": 3, "category_ids": [drinks] });
    let id = app.admin().post(PRODUCTS, body).await.expect(201)["product"]["id"].as_i64().unwrap();

    let unchanged = app.admin().put(&at(id), json!({})).await.expect(200)["product"].clone();
    assert_eq!(unchanged["categories"][0]["id"], drinks);
    let changed = app.admin().put(&at(id), json!({ "price": 9 })).await.expect(200)["product"].clone();
    assert_eq!([&changed["name"], &changed["description"]], ["Kopi", "d"]);
    assert_eq!((changed["price"].as_i64(), changed["stock"].as_i64()), (Some(9), Some(3)));
    assert_ne!(changed["updated_at"], changed["created_at"]);
    let moved = app.admin().put(&at(id), json!({ "category_ids": [food] })).await.expect(200);
    assert_eq!(moved["product"]["categories"], json!([{ "id": food, "name": "Food" }]));
    let both = app.admin().put(&at(id), json!({ "category_ids": [food, drinks] })).await.expect(200);
    assert_eq!(both["product"]["categories"].as_array().unwrap().len(), 2);
    let none = app.admin().put(&at(id), json!({ "category_ids": [] })).await.expect(200);
    assert_eq!(none["product"]["categories"], json!([]));
}

#[tokio::test]
async fn a_stock_that_is_set_is_recorded_and_only_set_if_it_is_as_expected() {
    let app = Shop::start().await;
    let id = product(&app, "Kopi", 10).await;
    consume(&app, created(1, &[(id, 4)])).await;

    let stale = json!({ "stock": 50, "price": 1, "expected_stock": 10 });
    let problem = app.admin().put(&at(id), stale).await.problem(409, "stock_changed");
    assert_eq!(problem["stock"], 6);
    assert_eq!(seen(&app, id).await["price"], 10_000);
    app.admin().put(&at(id), json!({ "stock": 50, "expected_stock": 6 })).await.expect(200);
    assert_eq!(units(&app, id).await, (50, 4));
    let recorded = movements(&app, id).await;
    assert_eq!(recorded[1..], [("hold".to_owned(), -4), ("admin".to_owned(), 44)]);
    assert_ledger(&app).await;
}

#[tokio::test]
async fn goods_arrive_and_are_found_missing_but_never_more_than_there_are() {
    let app = Shop::start().await;
    let id = product(&app, "Kopi", 10).await;
    let stock = format!("{}/stock", at(id));
    let root = app.admin();
    let added = root.post(&stock, json!({ "add": 5, "reason": "a delivery" })).await.expect(200);
    assert_eq!(added, json!({ "product_id": id, "stock": 15 }));
    assert_eq!(root.post(&stock, json!({ "add": -15 })).await.expect(200)["stock"], 0);
    assert_eq!(root.post(&stock, json!({ "add": 0 })).await.expect(200)["stock"], 0);
    let problem = root.post(&stock, json!({ "add": -1 })).await.problem(409, "insufficient_stock");
    assert_eq!(problem["stock"], 0);
    root.post(&stock, json!({ "add": 1_000_000_000 })).await.expect(200);
    root.post(&stock, json!({ "add": 1 })).await.problem(409, "limit_reached");
    root.post(&format!("{}/stock", at(999)), json!({ "add": 1 })).await.problem(404, "not_found");
    let note: Option<String> = sqlx::query_scalar("select note from stock_movements where delta = 5")
        .fetch_one(app.pool())
        .await
        .unwrap();
    assert_eq!(note.as_deref(), Some("a delivery"));
    assert_eq!(movements(&app, id).await.len(), 4, "what changes nothing is not recorded");
    root.post(&stock, json!({ "add": 0, "reason": "counted" })).await.expect(200);
    let counted: Vec<String> = sqlx::query_scalar("select note from stock_movements where delta = 0")
        .fetch_all(app.pool())
        .await
        .unwrap();
    assert_eq!(counted, ["counted"], "but what somebody had to say about it is");
    assert_ledger(&app).await;
}

#[tokio::test]
async fn changes_at_the_same_time_all_count() {
    let app = Shop::start().await;
    let id = product(&app, "Kopi", 0).await;
    let stock = format!("{}/stock", at(id));
    let root = app.admin();
    let add = || async { root.post(&stock, json!({ "add": 1 })).await.expect(200) };
    tokio::join!(add(), add(), add(), add(), add(), add(), add(), add());
    assert_eq!(units(&app, id).await.0, 8);
    assert_ledger(&app).await;
}

#[tokio::test]
async fn a_product_off_sale_still_takes_back_what_was_held_of_it() {
    let app = Shop::start().await;
    let id = product(&app, "Kopi", 10).await;
    consume(&app, created(1, &[(id, 4)])).await;
    app.admin().delete(&at(id)).await.expect(200);
    let cause = contracts::events::CancelCause::Customer;
    consume(&app, crate::cancelled(order_id(1).get(), cause)).await;
    let stock: i64 = sqlx::query_scalar("select stock from products").fetch_one(app.pool()).await.unwrap();
    assert_eq!(stock, 10);
    assert_ledger(&app).await;
}
