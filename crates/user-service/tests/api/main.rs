//! user-service as its clients see it.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may panic")]

mod addresses;
mod admin;
mod auth;
mod contact;
mod devices;
mod input;
mod limits;
mod login;
mod mails;
mod names;
mod password;
mod profile;
mod refresh;
mod register;
mod sessions;
mod users;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Actor, Reply, TestService};
use user_service::UserService;

type Shop = TestService<UserService>;

/// Every customer of these tests has this password.
const PASSWORD: &str = "correct horse battery";

struct Customer {
    actor: Actor,
    refresh_token: String,
}

fn email(name: &str) -> String {
    format!("{name}@example.com")
}

fn registration(name: &str) -> Value {
    json!({ "username": name, "email": email(name), "password": PASSWORD })
}

async fn register(shop: &Shop, name: &str) -> Value {
    shop.anyone().post("/api/v1/register", registration(name)).await.expect(201)["user"].clone()
}

async fn try_log_in(shop: &Shop, email: &str, password: &str) -> Reply {
    shop.anyone().post("/api/v1/login", json!({ "email": email, "password": password })).await
}

/// Tries from an address of the world, as the gateway would tell it.
async fn try_log_in_from(shop: &Shop, address: &str, email: &str, password: &str) -> Reply {
    let body = json!({ "email": email, "password": password });
    shop.anyone().send(Method::POST, "/api/v1/login", &[("x-forwarded-for", address)], Some(body)).await
}

async fn log_in(shop: &Shop, name: &str) -> Customer {
    let tokens = try_log_in(shop, &email(name), PASSWORD).await.expect(200);
    Customer {
        actor: shop.with_token(tokens["access_token"].as_str().unwrap()),
        refresh_token: tokens["refresh_token"].as_str().unwrap().to_owned(),
    }
}

async fn join(shop: &Shop, name: &str) -> Customer {
    register(shop, name).await;
    log_in(shop, name).await
}

async fn refresh(shop: &Shop, token: &str) -> Reply {
    shop.anyone().post("/api/v1/auth/refresh", json!({ "refresh_token": token })).await
}

async fn count(shop: &Shop, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(shop.pool()).await.unwrap()
}

async fn execute(shop: &Shop, query: &'static str) {
    sqlx::query(query).execute(shop.pool()).await.unwrap();
}
