//! The catalogue, as the contract describes it.

use serde_json::{Value, json};
use stack::api::Reply;

use super::categories;
use crate::harness::{Answer, NOBODY, Open};

pub async fn hold(open: &Open) {
    the_first_run_has_something_to_sell(open).await;
    an_administrator_puts_products_on_sale(open).await;
    a_list_is_searched_filtered_sorted_and_paged(open).await;
    a_search_takes_wildcards_literally(open).await;
    only_administrators_see_what_is_held(open).await;
    what_is_left_out_of_a_change_stays(open).await;
    stock_is_set_only_where_it_is_the_expected_one(open).await;
    goods_arrive_and_are_found_missing(open).await;
    a_product_that_was_taken_off_sale_leaves_its_name(open).await;
    what_a_client_has_is_not_sent_again(open).await;
}

fn some_name() -> String {
    format!("Product {:016x}", rand::random::<u64>())
}

pub fn body(name: &str) -> Value {
    json!({"name": name, "description": "As new", "price": 20_000, "stock": 5, "category_ids": []})
}

async fn make(open: &Open, body: Value) -> Value {
    open.ask(&open.admin.token, "POST /api/v1/products", body).await.is(201)["product"].clone()
}

async fn see(open: &Open, token: &str, id: &Value) -> Reply {
    open.ask(token, &format!("GET /api/v1/products/{id}"), Value::Null).await
}

async fn search(open: &Open, query: &str) -> Value {
    open.ask(NOBODY, &format!("GET /api/v1/products?{query}"), Value::Null).await.is(200)
}

fn names(page: &Value) -> Vec<&str> {
    page["products"].as_array().unwrap().iter().map(|product| product["name"].as_str().unwrap()).collect()
}

async fn what_a_client_has_is_not_sent_again(open: &Open) {
    let product = make(open, body(&some_name())).await;
    let one = format!("GET /api/v1/products/{}", product["id"]);
    let tag = open.ask(NOBODY, &one, Value::Null).await.header("etag").to_owned();
    for (line, known) in
        [(one.as_str(), tag.as_str()), ("GET /api/v1/products", "*"), ("GET /api/v1/categories", "*")]
    {
        let reply = open.ask_with(NOBODY, line, &[("If-None-Match", known)], Value::Null).await;
        assert!(reply.status == 304 && reply.text.is_empty(), "{line}: {}", reply.text);
    }
    let line = format!("POST /api/v1/products/{}/stock", product["id"]);
    open.ask(&open.admin.token, &line, json!({"add": 1})).await.is(200);
    open.ask_with(NOBODY, &one, &[("If-None-Match", &tag)], Value::Null).await.is(200);
}

async fn the_first_run_has_something_to_sell(open: &Open) {
    let page = search(open, "limit=100").await;
    let seeded = page["products"].as_array().unwrap().iter();
    let seeded = seeded.filter(|product| !product["categories"].as_array().unwrap().is_empty());
    assert!(seeded.count() >= 10, "{page}");
}

async fn an_administrator_puts_products_on_sale(open: &Open) {
    let category = categories::make(open, &categories::some_name()).await;
    let name = some_name();
    let mut body = body(&name);
    body["category_ids"] = json!([category]);
    let reply = open.ask(&open.admin.token, "POST /api/v1/products", body.clone()).await;
    let location = reply.header("location").to_owned();
    let product = reply.is(201)["product"].clone();
    assert_eq!(location, format!("/api/v1/products/{}", product["id"]));
    for (member, value) in [
        ("name", json!(name)),
        ("description", json!("As new")),
        ("price", json!(20_000)),
        ("stock", json!(5)),
    ] {
        assert_eq!(product[member], value, "{member}");
    }
    assert_eq!(product["categories"][0]["id"], category);
    let mut seen = see(open, NOBODY, &product["id"]).await.is(200)["product"].clone();
    seen["held"] = json!(0);
    assert_eq!(seen, product);

    body["name"] = json!(name.to_uppercase());
    open.ask(&open.admin.token, "POST /api/v1/products", body.clone()).await.refused(409, "name_taken");
    body["name"] = json!(some_name());
    body["category_ids"] = json!([category, 1_000_000_000]);
    let problem =
        open.ask(&open.admin.token, "POST /api/v1/products", body).await.refused(422, "unknown_category");
    assert_eq!(problem["category_ids"], json!([1_000_000_000]));
}

async fn a_list_is_searched_filtered_sorted_and_paged(open: &Open) {
    let category = categories::make(open, &categories::some_name()).await;
    let mark = format!("{:016x}", rand::random::<u64>());
    for (name, price, stock) in [("Bread", 300, 30), ("apple", 100, 20), ("Cheese", 200, 10)] {
        let body = json!({"name": format!("{name} {mark}"), "price": price, "stock": stock, "category_ids": [category]});
        make(open, body).await;
    }
    let order = async |query: &str| {
        let page = search(open, &format!("category_id={category}&{query}")).await;
        names(&page).iter().map(|name| name[..1].to_lowercase()).collect::<String>()
    };
    for (query, expected) in [
        ("", "cab"),
        ("order=asc", "bac"),
        ("sort_by=price", "acb"),
        ("sort_by=price&order=desc", "bca"),
        ("sort_by=name", "abc"),
        ("sort_by=name&order=desc", "cba"),
        ("sort_by=stock", "cab"),
        ("sort_by=created_at&order=desc", "cab"),
        ("min_price=200", "cb"),
        ("max_price=200", "ca"),
        ("min_price=150&max_price=250", "c"),
        ("min_price=250&max_price=150", ""),
        ("search=APPLE", "a"),
        ("search=nothing", ""),
    ] {
        assert_eq!(order(query).await, expected, "{query:?}");
    }
    assert_eq!(names(&search(open, &format!("search={}", mark.to_uppercase())).await).len(), 3);
    let page = search(open, &format!("category_id={category}&limit=2&page=2")).await;
    assert_eq!((&page["total"], &page["page"]), (&json!(3), &json!(2)));
    assert_eq!((&page["limit"], &page["total_pages"]), (&json!(2), &json!(2)));
    assert_eq!(names(&page).len(), 1);
    assert_eq!(search(open, "").await["limit"], 10);
    assert_eq!(search(open, &format!("category_id={category}&page=9")).await["products"], json!([]));
}

async fn a_search_takes_wildcards_literally(open: &Open) {
    let mark = format!("{:016x}", rand::random::<u64>());
    for sign in ["%", "_", "\\", "a"] {
        make(open, body(&format!("{mark}{sign}x"))).await;
    }
    for (text, found) in
        [("", 4), ("%25", 1), ("_", 1), ("%5C", 1), ("a", 1), ("_x", 1), ("%25x", 1), ("__", 0)]
    {
        let page = search(open, &format!("search={mark}{text}")).await;
        assert_eq!(names(&page).len(), found, "{text}: {page}");
    }
}

async fn only_administrators_see_what_is_held(open: &Open) {
    let (customer, product) = (open.customer().await, open.product(3).await);
    open.awaiting(&customer, product).await;
    let seen = see(open, &open.admin.token, &json!(product)).await.is(200);
    assert_eq!((&seen["product"]["held"], &seen["product"]["stock"]), (&json!(1), &json!(2)));
    for token in [NOBODY, &customer.token] {
        assert!(see(open, token, &json!(product)).await.is(200)["product"].get("held").is_none());
        let list = open.ask(token, "GET /api/v1/products", Value::Null).await.is(200);
        assert!(list["products"].as_array().unwrap().iter().all(|one| one.get("held").is_none()));
    }
    let list = open.ask(&open.admin.token, "GET /api/v1/products", Value::Null).await.is(200);
    assert!(list["products"].as_array().unwrap().iter().all(|one| one["held"].is_i64()));
}

async fn what_is_left_out_of_a_change_stays(open: &Open) {
    let admin = &open.admin.token;
    let (name, other) = (some_name(), some_name());
    let mut product = make(open, body(&name)).await;
    make(open, body(&other)).await;
    let line = format!("PUT /api/v1/products/{}", product["id"]);
    let changed = open.ask(admin, &line, json!({"price": 1})).await.is(200)["product"].clone();
    product["price"] = json!(1);
    product["updated_at"] = changed["updated_at"].clone();
    assert_eq!(changed, product);
    open.ask(admin, &line, json!({"name": other.to_uppercase()})).await.refused(409, "name_taken");
    open.ask(admin, &line, json!({"name": name.to_uppercase()})).await.is(200);
    let problem = open.ask(admin, &line, json!({"category_ids": [1_000_000_000]})).await;
    problem.refused(422, "unknown_category");
    open.ask(admin, "PUT /api/v1/products/1000000000", json!({"price": 1})).await.refused(404, "not_found");
}

async fn stock_is_set_only_where_it_is_the_expected_one(open: &Open) {
    let product = make(open, body(&some_name())).await;
    let set = async |body: Value| {
        open.ask(&open.admin.token, &format!("PUT /api/v1/products/{}", product["id"]), body).await
    };
    assert_eq!(set(json!({"stock": 8, "expected_stock": 5})).await.is(200)["product"]["stock"], 8);
    let problem =
        set(json!({"stock": 9, "price": 7, "expected_stock": 5})).await.refused(409, "stock_changed");
    assert_eq!(problem["stock"], 8);
    let seen = see(open, NOBODY, &product["id"]).await.is(200);
    assert_eq!((&seen["product"]["stock"], &seen["product"]["price"]), (&json!(8), &json!(20_000)));
}

async fn goods_arrive_and_are_found_missing(open: &Open) {
    let product = make(open, body(&some_name())).await;
    let line = format!("POST /api/v1/products/{}/stock", product["id"]);
    let add = async |body: Value| open.ask(&open.admin.token, &line, body).await;
    let arrived = add(json!({"add": 3, "reason": "a delivery"})).await.is(200);
    assert_eq!(arrived, json!({"product_id": product["id"], "stock": 8}));
    assert_eq!(add(json!({"add": -8})).await.is(200)["stock"], 0);
    assert_eq!(add(json!({"add": -1})).await.refused(409, "insufficient_stock")["stock"], 0);
    add(json!({"add": 1_000_000_000})).await.is(200);
    add(json!({"add": 1})).await.refused(409, "limit_reached");
    let unknown = "POST /api/v1/products/1000000000/stock";
    open.ask(&open.admin.token, unknown, json!({"add": 1})).await.refused(404, "not_found");
}

async fn a_product_that_was_taken_off_sale_leaves_its_name(open: &Open) {
    let buyer = open.customer().await;
    let name = some_name();
    let product = make(open, body(&name)).await;
    let id = product["id"].as_i64().unwrap();
    let (order, token) = open.awaiting(&buyer, id).await;
    let line = format!("DELETE /api/v1/products/{id}");
    assert!(open.ask(&open.admin.token, &line, Value::Null).await.is(200)["message"].is_string());
    open.ask(&open.admin.token, &line, Value::Null).await.refused(404, "not_found");
    see(open, NOBODY, &product["id"]).await.refused(404, "not_found");
    let gone = json!({"add": 1});
    open.ask(&open.admin.token, &format!("POST /api/v1/products/{id}/stock"), gone)
        .await
        .refused(404, "not_found");
    assert_ne!(make(open, body(&name)).await["id"], product["id"], "the name is free again");

    open.bank.pay(&token).await.unwrap();
    buyer.wait_for(order, &["PAID"]).await.unwrap();
    let snapshot = buyer.see_order(order).await.unwrap();
    assert_eq!(
        (&snapshot["items"][0]["name"], &snapshot["items"][0]["price"]),
        (&json!(name), &json!(20_000))
    );
    let delivery = open.shipped(&buyer, order).await;
    open.admin.set_delivery(delivery, "FAILED", None).await.unwrap();
    buyer.wait_for(order, &["REFUNDED"]).await.unwrap();
}
