//! A device on which its owner logged in before is not kept out by what strangers do.

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::Reply;

use crate::{PASSWORD, Shop, email, join, limits::assert_limited, register, try_log_in, try_log_in_from};

const OFFICE: &str = "203.0.113.7";

async fn log_in_on(shop: &Shop, device: &str, name: &str, password: &str) -> Reply {
    let body = json!({ "email": email(name), "password": password, "device_token": device });
    shop.anyone().send(Method::POST, "/api/v1/login", &[("x-forwarded-for", OFFICE)], Some(body)).await
}

async fn known_device(shop: &Shop, name: &str) -> String {
    register(shop, name).await;
    token(&try_log_in(shop, &email(name), PASSWORD).await.expect(200))
}

fn token(reply: &Value) -> String {
    reply["device_token"].as_str().expect("a login gives a device token").to_owned()
}

/// Ten wrong passwords for the account, from somewhere else.
async fn strangers_guess(shop: &Shop, name: &str) {
    for _ in 0..10 {
        try_log_in_from(shop, "203.0.113.8", &email(name), "wrong").await.problem(401, "wrong_credentials");
    }
}

#[tokio::test]
async fn strangers_who_guess_keep_no_known_device_out() {
    let shop = Shop::start().await;
    let device = known_device(&shop, "ani").await;
    strangers_guess(&shop, "ani").await;
    try_log_in(&shop, &email("ani"), PASSWORD).await.problem(429, "too_many_requests");
    let again = token(&log_in_on(&shop, &device, "ani", PASSWORD).await.expect(200));
    log_in_on(&shop, &again, "ani", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn an_office_full_of_failures_keeps_no_known_device_out() {
    let shop = Shop::start().await;
    let device = known_device(&shop, "ani").await;
    let nobodies: Vec<String> = (0..100).map(|n| email(&format!("nobody{n}"))).collect();
    let tries = nobodies.iter().map(|nobody| try_log_in_from(&shop, OFFICE, nobody, "wrong"));
    assert!(join_all(tries).await.iter().all(|reply| reply.status() == 401));
    try_log_in_from(&shop, OFFICE, &email("ani"), PASSWORD).await.problem(429, "too_many_requests");
    log_in_on(&shop, &device, "ani", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_known_device_has_ten_failures_of_its_own() {
    let shop = Shop::start().await;
    let device = known_device(&shop, "ani").await;
    let renewed = token(&log_in_on(&shop, &device, "ani", PASSWORD).await.expect(200));
    for used in [&device, &renewed].into_iter().cycle().take(10) {
        log_in_on(&shop, used, "ani", "wrong").await.problem(401, "wrong_credentials");
    }
    let reply = log_in_on(&shop, &device, "ani", PASSWORD).await;
    reply.problem(429, "too_many_requests");
    assert!(!reply.header("retry-after").is_empty());
    log_in_on(&shop, &renewed, "ani", PASSWORD).await.problem(429, "too_many_requests");
    try_log_in(&shop, &email("ani"), PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_device_token_that_is_not_the_accounts_counts_as_none() {
    let shop = Shop::start().await;
    let (own, foreign) = (known_device(&shop, "ani").await, known_device(&shop, "budi").await);
    let (zeros, reversed) = ("0".repeat(own.len()), own.chars().rev().collect::<String>());
    let none = ["", "x", "\u{1f600}", &zeros, &reversed, &own[..own.len() - 2], &foreign];
    for device in none {
        log_in_on(&shop, device, "ani", PASSWORD).await.expect(200);
    }
    log_in_on(&shop, &own, "nobody", PASSWORD).await.problem(401, "wrong_credentials");
    for device in none.iter().cycle().take(10) {
        log_in_on(&shop, device, "ani", "wrong").await.problem(401, "wrong_credentials");
    }
    for device in none {
        log_in_on(&shop, device, "ani", PASSWORD).await.problem(429, "too_many_requests");
    }
    log_in_on(&shop, &own, "ani", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_device_is_known_by_the_password_that_was_typed_on_it() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    let old = token(&try_log_in(&shop, &email("ani"), PASSWORD).await.expect(200));
    let change = json!({ "old_password": PASSWORD, "new_password": "a wholly new password" });
    let new = token(&ani.actor.post("/api/v1/auth/change-password", change).await.expect(200));
    strangers_guess(&shop, "ani").await;
    log_in_on(&shop, &old, "ani", "a wholly new password").await.problem(429, "too_many_requests");
    log_in_on(&shop, &new, "ani", "a wholly new password").await.expect(200);
}

#[tokio::test]
async fn a_device_token_opens_nothing_by_itself() {
    let shop = Shop::start().await;
    let device = known_device(&shop, "ani").await;
    shop.with_token(&device).get("/api/v1/auth/profile").await.problem(401, "unauthorized");
    crate::refresh(&shop, &device).await.problem(401, "unauthorized");
    log_in_on(&shop, &device, "ani", "wrong").await.problem(401, "wrong_credentials");
    let long = json!({ "email": email("ani"), "password": PASSWORD, "device_token": "x".repeat(201) });
    let problem = shop.anyone().post("/api/v1/login", long).await.problem(400, "invalid");
    assert_eq!(problem["errors"][0]["field"], "device_token");
}

#[tokio::test]
async fn a_network_logs_in_only_so_often_but_for_known_devices() {
    let shop = Shop::with_flags(&["--logins-per-network=2"]).await;
    for name in ["ani", "budi", "citra"] {
        register(&shop, name).await;
    }
    let office = "203.0.113.7";
    let ani = try_log_in_from(&shop, office, &email("ani"), PASSWORD).await.expect(200);
    try_log_in_from(&shop, office, &email("budi"), PASSWORD).await.expect(200);
    assert_limited(&try_log_in_from(&shop, office, &email("citra"), PASSWORD).await);
    let body = json!({ "email": email("ani"), "password": PASSWORD, "device_token": ani["device_token"] });
    let from = [("x-forwarded-for", office)];
    shop.anyone().send(Method::POST, "/api/v1/login", &from, Some(body)).await.expect(200);
    try_log_in_from(&shop, "203.0.113.8", &email("citra"), PASSWORD).await.expect(200);
}
