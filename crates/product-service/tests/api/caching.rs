//! What is kept in memory is never older than a change of this process, soon as new as one of another, and decides nothing.

use contracts::{
    events::{CancelCause, StockInsufficient},
    grpc::product::{GetProductsRequest, product_service_client::ProductServiceClient},
};
use futures::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::Reply;

use crate::{CATEGORIES, PRODUCTS, Shop, at, cancelled, category, consume, created, items, product, status};

/// The product as everybody sees it, by itself and in the list.
async fn shown(app: &Shop, id: i64) -> Value {
    let alone = app.anyone().get(&at(id)).await.expect(200)["product"].clone();
    let page = app.anyone().get(PRODUCTS).await.expect(200);
    let listed = page["products"].as_array().unwrap().iter().find(|product| product["id"] == id).cloned();
    assert_eq!(Some(&alone), listed.as_ref(), "the list shows the same");
    alone
}

async fn listed(app: &Shop, query: &str) -> Vec<i64> {
    let page = app.anyone().get(&format!("{PRODUCTS}?{query}")).await.expect(200);
    page["products"].as_array().unwrap().iter().map(|product| product["id"].as_i64().unwrap()).collect()
}

/// A change that another process commits.
async fn elsewhere(app: &Shop, change: &str) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(change)).execute(app.pool()).await.unwrap();
}

async fn get(app: &Shop, path: &str, known: &str) -> Reply {
    app.anyone().send(Method::GET, path, &[("if-none-match", known)], None).await
}

#[tokio::test]
async fn an_administrator_sees_each_own_change_at_once() {
    let app = Shop::start().await;
    let drinks = category(&app, "Drinks").await;
    let (kopi, teh) = (product(&app, "Kopi", 5).await, product(&app, "Teh", 6).await);
    assert_eq!((listed(&app, "sort_by=name").await, listed(&app, "sort_by=stock").await).0, [kopi, teh]);
    shown(&app, kopi).await;

    let changes = json!({ "name": "Zoom", "price": 9, "category_ids": [drinks] });
    app.admin().put(&at(kopi), changes).await.expect(200);
    let product = shown(&app, kopi).await;
    assert_eq!((&product["name"], &product["price"]), (&json!("Zoom"), &json!(9)));
    assert_eq!(product["categories"], json!([{ "id": drinks, "name": "Drinks" }]));
    assert_eq!(listed(&app, "sort_by=name").await, [teh, kopi]);
    assert_eq!(listed(&app, &format!("category_id={drinks}")).await, [kopi]);

    app.admin().post(&format!("{}/stock", at(kopi)), json!({ "add": 4 })).await.expect(200);
    assert_eq!(shown(&app, kopi).await["stock"], 9);
    assert_eq!(listed(&app, "sort_by=stock").await, [teh, kopi]);

    app.admin().put(&format!("{CATEGORIES}/{drinks}"), json!({ "name": "Cold drinks" })).await.expect(200);
    assert_eq!(shown(&app, kopi).await["categories"][0]["name"], "Cold drinks");

    app.admin().delete(&at(kopi)).await.expect(200);
    app.anyone().get(&at(kopi)).await.problem(404, "not_found");
    assert_eq!(listed(&app, "").await, [teh]);
    assert_eq!(app.anyone().get(PRODUCTS).await.expect(200)["total"], 1);
}

#[tokio::test]
async fn a_product_that_did_not_exist_is_shown_once_it_does() {
    let app = Shop::start().await;
    let first = product(&app, "Kopi", 5).await;
    app.anyone().get(&at(first + 1)).await.problem(404, "not_found");
    let second = product(&app, "Teh", 5).await;
    assert_eq!(second, first + 1);
    shown(&app, second).await;
}

#[tokio::test]
async fn categories_are_those_of_now() {
    let app = Shop::start().await;
    let counts = async || {
        let all = app.anyone().get(CATEGORIES).await.expect(200);
        let of = |category: &Value| {
            (category["name"].as_str().unwrap().to_owned(), category["product_count"].as_i64().unwrap())
        };
        all["categories"].as_array().unwrap().iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(counts().await, []);
    let drinks = category(&app, "Drinks").await;
    assert_eq!(counts().await, [("Drinks".to_owned(), 0)]);
    let kopi = product(&app, "Kopi", 5).await;
    app.admin().put(&at(kopi), json!({ "category_ids": [drinks] })).await.expect(200);
    assert_eq!(counts().await, [("Drinks".to_owned(), 1)]);
    app.admin().delete(&at(kopi)).await.expect(200);
    assert_eq!(counts().await, [("Drinks".to_owned(), 0)]);
    app.admin().delete(&format!("{CATEGORIES}/{drinks}")).await.expect(200);
    assert_eq!(counts().await, []);
}

#[tokio::test]
async fn who_bought_the_last_one_sees_that_it_is_gone_and_who_cancelled_that_it_is_back() {
    let app = Shop::start().await;
    let kopi = product(&app, "Kopi", 2).await;
    assert_eq!(shown(&app, kopi).await["stock"], 2);
    for order in 1..=2 {
        consume(&app, created(order, &[(kopi, 1)])).await;
        assert_eq!(shown(&app, kopi).await["stock"], 2 - order);
    }
    let mut cancel = cancelled(2, CancelCause::Customer);
    cancel.items = items(&[(kopi, 1)]);
    consume(&app, cancel).await;
    assert_eq!(shown(&app, kopi).await["stock"], 1);
}

#[tokio::test]
async fn what_another_process_changes_is_shown_soon_also_while_redis_is_away() {
    let mut app = Shop::start().await;
    let kopi = product(&app, "Kopi", 5).await;
    shown(&app, kopi).await;
    app.redis().stop().await.unwrap();
    elsewhere(&app, "update products set price = 77, stock = 3").await;
    testkit::eventually("the change is shown", async || {
        let product = app.anyone().get(&at(kopi)).await.expect(200);
        (product["product"]["price"] == 77 && product["product"]["stock"] == 3).then_some(())
    })
    .await;
    app.admin().put(&at(kopi), json!({ "price": 78 })).await.expect(200);
    assert_eq!(shown(&app, kopi).await["price"], 78, "one's own change needs no Redis");
    elsewhere(&app, "update products set deleted_at = now()").await;
    testkit::eventually("it is off sale", async || {
        let page = app.anyone().get(PRODUCTS).await.expect(200);
        (page["products"] == json!([])).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_an_administrator_changes_is_broadcast() {
    let app = Shop::start().await;
    let kopi = product(&app, "Kopi", 5).await;
    let drinks = category(&app, "Drinks").await;
    let mut listener = app.redis_client(0).get_async_pubsub().await.unwrap();
    listener.subscribe(contracts::catalogue::CHANNEL).await.unwrap();
    let mut messages = listener.on_message();
    app.admin().put(&at(kopi), json!({ "price": 9 })).await.expect(200);
    app.admin().post(&format!("{}/stock", at(kopi)), json!({ "add": 4 })).await.expect(200);
    app.admin().delete(&at(kopi)).await.expect(200);
    app.admin().put(&format!("{CATEGORIES}/{drinks}"), json!({ "name": "Tea" })).await.expect(200);
    for expected in [kopi.to_string(), kopi.to_string(), kopi.to_string(), String::new()] {
        let message: String = messages.next().await.unwrap().get_payload().unwrap();
        assert_eq!(message, expected);
    }
}

#[tokio::test]
async fn nothing_is_decided_by_what_is_kept() {
    let app = Shop::start().await;
    let kopi = product(&app, "Kopi", 5).await;
    shown(&app, kopi).await;
    elsewhere(&app, "update products set price = 77, stock = 0").await;

    let request = GetProductsRequest { ids: vec![kopi.unsigned_abs()] };
    let answer = ProductServiceClient::new(app.grpc_channel()).get_products(request).await.unwrap();
    let products = answer.into_inner().products;
    assert_eq!((products[0].price, products[0].stock), (77, 0), "order-service gets the rows");
    consume(&app, created(1, &[(kopi, 1)])).await;
    assert_eq!(status(&app, 1).await.unwrap(), "REFUSED");
    assert_eq!(app.published::<StockInsufficient>().await.len(), 1);
    let admin = app.admin().get(&at(kopi)).await.expect(200);
    assert_eq!((&admin["product"]["price"], &admin["product"]["stock"]), (&json!(77), &json!(0)));
    let page = app.admin().get(PRODUCTS).await.expect(200);
    assert_eq!(page["products"][0]["price"], 77, "an administrator decides by what is read");
}

#[tokio::test]
async fn an_answer_that_is_known_is_not_sent_again() {
    let app = Shop::start().await;
    let kopi = product(&app, "Kopi", 5).await;
    for path in [at(kopi), format!("{PRODUCTS}?search=kopi"), CATEGORIES.to_owned()] {
        let first = app.anyone().get(&path).await;
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with('"') && tag.ends_with('"'), "a strong tag: {tag}");
        assert_eq!(first.header("cache-control"), "no-cache", "kept, but asked about each time");
        for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let again = get(&app, &path, &known).await;
            assert_eq!((again.status(), again.text()), (304, ""), "{path}: {known}");
            assert_eq!(again.header("etag"), tag);
        }
        assert_eq!(get(&app, &path, "\"other\"").await.status(), 200);
        let admin = app.admin().send(Method::GET, &path, &[("if-none-match", &tag)], None).await;
        assert_eq!((admin.status(), admin.header("cache-control")), (200, "no-store"));
    }
    let tag = app.anyone().get(&at(kopi)).await.header("etag").to_owned();
    consume(&app, created(1, &[(kopi, 1)])).await;
    let changed = get(&app, &at(kopi), &tag).await;
    assert_eq!(changed.status(), 200);
    assert_ne!(changed.header("etag"), tag);
}
