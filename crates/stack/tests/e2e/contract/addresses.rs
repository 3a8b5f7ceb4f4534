//! The address book, as the contract describes it.

use serde_json::{Value, json};

use crate::harness::{Answer, Open};

pub async fn hold(open: &Open) {
    an_address_is_added_replaced_and_deleted(open).await;
    there_is_one_default(open).await;
    an_address_book_has_twenty_addresses(open).await;
    nobody_sees_the_addresses_of_others(open).await;
}

pub fn address() -> Value {
    json!({"recipient": "Ani Wijaya", "phone": "+62 812 3456 7890", "street": "Jalan Merdeka 17",
           "city": "Bandung", "postal_code": "40111", "country": "ID"})
}

async fn add(open: &Open, token: &str, body: Value) -> Value {
    open.ask(token, "POST /api/v1/auth/addresses", body).await.is(201)
}

async fn list(open: &Open, token: &str) -> Value {
    open.ask(token, "GET /api/v1/auth/addresses", Value::Null).await.is(200)
}

async fn an_address_is_added_replaced_and_deleted(open: &Open) {
    let token = &open.customer().await.token;
    assert_eq!(list(open, token).await, json!([]));
    let mut body = address();
    body["label"] = json!("Home 🏠");
    body["province"] = json!("Jawa Barat");
    let added = add(open, token, body.clone()).await;
    for (member, value) in body.as_object().unwrap() {
        assert_eq!(added[member], *value, "{member}");
    }
    assert_eq!(list(open, token).await, json!([added]));

    let line = format!("/api/v1/auth/addresses/{}", added["id"]);
    let replaced = open.ask(token, &format!("PUT {line}"), address()).await.is(200);
    assert_eq!(replaced["id"], added["id"]);
    assert!(replaced.get("label").is_none_or(Value::is_null), "what is left out is removed: {replaced}");
    assert_eq!(replaced["is_default"], added["is_default"], "but for whether it is the default");
    open.ask(token, &format!("DELETE {line}"), Value::Null).await.is(204);
    open.ask(token, &format!("DELETE {line}"), Value::Null).await.refused(404, "not_found");
    open.ask(token, &format!("PUT {line}"), address()).await.refused(404, "not_found");
    assert_eq!(list(open, token).await, json!([]));
}

async fn there_is_one_default(open: &Open) {
    let token = &open.customer().await.token;
    let defaults = async || {
        let list = list(open, token).await;
        list.as_array().unwrap().iter().map(|one| one["is_default"] == true).collect::<Vec<_>>()
    };
    let first = add(open, token, address()).await;
    add(open, token, address()).await;
    assert_eq!(defaults().await, [true, false], "the first one is");
    let mut body = address();
    body["is_default"] = json!(true);
    let third = add(open, token, body).await;
    assert_eq!(defaults().await, [false, false, true], "until another is");
    open.ask(token, &format!("DELETE /api/v1/auth/addresses/{}", third["id"]), Value::Null).await.is(204);
    assert_eq!(defaults().await, [true, false], "the oldest one follows");
    assert_eq!(list(open, token).await[0]["id"], first["id"]);
}

async fn an_address_book_has_twenty_addresses(open: &Open) {
    let token = &open.customer().await.token;
    for _ in 0..20 {
        add(open, token, address()).await;
    }
    open.ask(token, "POST /api/v1/auth/addresses", address()).await.refused(409, "limit_reached");
    let all = list(open, token).await;
    assert_eq!(all.as_array().unwrap().len(), 20);
    open.ask(token, &format!("DELETE /api/v1/auth/addresses/{}", all[3]["id"]), Value::Null).await.is(204);
    add(open, token, address()).await;
}

async fn nobody_sees_the_addresses_of_others(open: &Open) {
    let (owner, other) = (open.customer().await, open.customer().await);
    let added = add(open, &owner.token, address()).await;
    assert_eq!(list(open, &other.token).await, json!([]));
    let line = format!("/api/v1/auth/addresses/{}", added["id"]);
    for token in [&other.token, &open.admin.token] {
        open.ask(token, &format!("PUT {line}"), address()).await.refused(404, "not_found");
        open.ask(token, &format!("DELETE {line}"), Value::Null).await.refused(404, "not_found");
    }
    assert_eq!(list(open, &owner.token).await, json!([added]));
}
