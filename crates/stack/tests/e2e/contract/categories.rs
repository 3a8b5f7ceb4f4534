//! Categories, as the contract describes them.

use serde_json::{Value, json};

use crate::harness::{Answer, NOBODY, Open};

pub async fn hold(open: &Open) {
    everybody_sees_the_categories(open).await;
    an_administrator_makes_renames_and_removes_them(open).await;
    a_name_is_taken_whatever_its_case(open).await;
    one_with_products_is_not_removed(open).await;
}

pub fn some_name() -> String {
    format!("Category {:016x}", rand::random::<u64>())
}

pub async fn make(open: &Open, name: &str) -> i64 {
    let made = open.ask(&open.admin.token, "POST /api/v1/categories", json!({"name": name})).await.is(201);
    made["category"]["id"].as_i64().unwrap()
}

async fn everybody_sees_the_categories(open: &Open) {
    let all = open.ask(NOBODY, "GET /api/v1/categories", Value::Null).await.is(200);
    let categories = all["categories"].as_array().unwrap();
    assert!(categories.len() >= 4, "the seeded ones: {all}");
    for category in categories {
        assert!(category["id"].is_i64() && category["name"].is_string(), "{category}");
        assert!(category["product_count"].is_i64(), "{category}");
    }
}

async fn an_administrator_makes_renames_and_removes_them(open: &Open) {
    let admin = &open.admin.token;
    let (name, other) = (some_name(), some_name());
    let made =
        open.ask(admin, "POST /api/v1/categories", json!({"name": format!("  {name} ")})).await.is(201);
    let id = &made["category"]["id"];
    assert_eq!((&made["category"]["name"], &made["category"]["product_count"]), (&json!(name), &json!(0)));
    assert!(made["category"]["created_at"].is_string() && made["category"]["updated_at"].is_string());
    assert!(made["message"].is_string());
    let line = format!("/api/v1/categories/{id}");
    let renamed = open.ask(admin, &format!("PUT {line}"), json!({"name": other})).await.is(200);
    assert_eq!(renamed["category"]["name"], other);
    let gone = open.ask(admin, &format!("DELETE {line}"), Value::Null).await.is(200);
    assert_eq!(gone["category"]["id"], *id);
    open.ask(admin, &format!("DELETE {line}"), Value::Null).await.refused(404, "not_found");
    open.ask(admin, &format!("PUT {line}"), json!({"name": other})).await.refused(404, "not_found");
    make(open, &other).await;
}

async fn a_name_is_taken_whatever_its_case(open: &Open) {
    let (name, other) = (some_name(), some_name());
    make(open, &name).await;
    let id = make(open, &other).await;
    let shouted = json!({"name": name.to_uppercase()});
    open.ask(&open.admin.token, "POST /api/v1/categories", shouted.clone()).await.refused(409, "name_taken");
    let line = format!("PUT /api/v1/categories/{id}");
    open.ask(&open.admin.token, &line, shouted).await.refused(409, "name_taken");
    let own = json!({"name": other.to_uppercase()});
    assert_eq!(
        open.ask(&open.admin.token, &line, own).await.is(200)["category"]["name"],
        other.to_uppercase()
    );
}

async fn one_with_products_is_not_removed(open: &Open) {
    let admin = &open.admin.token;
    let id = make(open, &some_name()).await;
    let product = open.product(1).await;
    let line = format!("PUT /api/v1/products/{product}");
    open.ask(admin, &line, json!({"category_ids": [id]})).await.is(200);
    open.ask(admin, &format!("DELETE /api/v1/categories/{id}"), Value::Null).await.refused(409, "not_empty");
    open.admin.remove_product(product).await.unwrap();
    open.ask(admin, &format!("DELETE /api/v1/categories/{id}"), Value::Null).await.is(200);
}
