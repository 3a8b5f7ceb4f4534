//! Administrators see to accounts: who may do what, who is shut out.

use serde_json::{Value, json};
use stack::actors::Customer;

use super::accounts::{PASSWORD, email, log_in};
use super::forgery::claims;
use super::sessions::refused_everywhere;
use crate::harness::{Answer, Open};

pub async fn hold(open: &Open) {
    an_account_is_found_disabled_and_enabled(open).await;
    a_role_counts_from_the_next_login_on_until_it_is_taken(open).await;
    the_last_administrator_stays(open).await;
}

async fn change(open: &Open, id: i64, body: Value) -> stack::api::Reply {
    open.ask(&open.admin.token, &format!("PUT /api/v1/auth/users/{id}"), body).await
}

async fn token(open: &Open, customer: &Customer) -> String {
    let tokens = log_in(open, &email(customer), PASSWORD).await.is(200);
    tokens["access_token"].as_str().unwrap().to_owned()
}

async fn an_account_is_found_disabled_and_enabled(open: &Open) {
    let customer = open.customer().await;
    let line = format!("GET /api/v1/auth/users?search={}", customer.username.to_uppercase());
    let found = open.ask(&open.admin.token, &line, Value::Null).await.is(200);
    assert_eq!((&found[0]["id"], &found[0]["disabled"]), (&json!(customer.id), &json!(false)));
    assert_eq!(change(open, customer.id, json!({"disabled": true})).await.is(200)["disabled"], true);
    refused_everywhere(open, &customer.token).await;
    log_in(open, &email(&customer), PASSWORD).await.refused(401, "account_disabled");
    change(open, customer.id, json!({"disabled": false})).await.is(200);
    let again = token(open, &customer).await;
    let end = format!("DELETE /api/v1/auth/users/{}/sessions", customer.id);
    open.ask(&open.admin.token, &end, Value::Null).await.is(204);
    refused_everywhere(open, &again).await;
    change(open, 1_000_000_000, json!({})).await.refused(404, "not_found");
}

async fn a_role_counts_from_the_next_login_on_until_it_is_taken(open: &Open) {
    let (customer, buyer) = (open.customer().await, open.customer().await);
    let order = buyer.order_one(open.product(5).await).await.unwrap();
    let line = format!("GET /api/v1/order/{order}");
    open.ask(&customer.token, &line, Value::Null).await.refused(404, "not_found");
    change(open, customer.id, json!({"staff_roles": ["support"]})).await.is(200);
    let support = token(open, &customer).await;
    let claims = claims(&support);
    assert_eq!((&claims["role"], &claims["roles"]), (&json!("user"), &json!(["support"])));
    open.ask(&support, &line, Value::Null).await.is(200);
    open.ask(&support, "GET /api/v1/order/all", Value::Null).await.is(200);
    change(open, customer.id, json!({"staff_roles": []})).await.is(200);
    refused_everywhere(open, &support).await;
}

async fn the_last_administrator_stays(open: &Open) {
    let profile = open.ask(&open.admin.token, "GET /api/v1/auth/profile", Value::Null).await.is(200);
    for body in [json!({"role": "user"}), json!({"disabled": true})] {
        let reply = change(open, profile["id"].as_i64().unwrap(), body).await;
        reply.refused(409, "last_administrator");
    }
}
