//! How much hashing one party may ask for.

use reqwest::Method;
use serde_json::json;
use testkit::Reply;

use crate::{PASSWORD, Shop, count, email, join, register, registration, try_log_in_from};

async fn register_from(shop: &Shop, address: &str, name: &str) -> Reply {
    let body = Some(registration(name));
    shop.anyone().send(Method::POST, "/api/v1/register", &[("x-forwarded-for", address)], body).await
}

/// That too much was asked for, and when there may be more.
#[track_caller]
pub fn assert_limited(reply: &Reply) {
    reply.problem(429, "too_many_requests");
    let wait: u32 = reply.header("retry-after").parse().unwrap();
    assert!((1..=600).contains(&wait), "{wait}");
}

#[tokio::test]
async fn a_network_registers_only_so_many() {
    let shop = Shop::with_flags(&["--registrations-per-network=3"]).await;
    register_from(&shop, "2001:db8:1:2::1", "ani").await.expect(201);
    register_from(&shop, "2001:db8:1:2::1", "ani").await.problem(409, "email_taken");
    register_from(&shop, "2001:db8:1:2::2", "budi").await.expect(201);
    assert_limited(&register_from(&shop, "2001:db8:1:2:3:4:5:6", "citra").await);
    register_from(&shop, "2001:db8:1:3::1", "citra").await.expect(201);
    register_from(&shop, "203.0.113.7", "dewi").await.expect(201);
    assert_eq!(count(&shop, "select count(*) from users").await, 4);
}

#[tokio::test]
async fn an_account_checks_its_password_only_so_often() {
    let shop = Shop::with_flags(&["--password-checks-per-account=3"]).await;
    let (ani, budi) = (join(&shop, "ani").await.actor, join(&shop, "budi").await.actor);
    let change = json!({ "old_password": "wrong", "new_password": "a wholly new password" });
    let profile = json!({ "email": "new@example.com", "current_password": PASSWORD });
    for _ in 0..2 {
        ani.post("/api/v1/auth/change-password", change.clone()).await.problem(422, "wrong_password");
    }
    ani.put("/api/v1/auth/profile", profile.clone()).await.expect(200);
    assert_limited(&ani.put("/api/v1/auth/profile", profile).await);
    assert_limited(&ani.post("/api/v1/auth/change-password", change.clone()).await);
    ani.put("/api/v1/auth/profile", json!({ "username": "anita" })).await.expect(200);
    budi.post("/api/v1/auth/change-password", change).await.problem(422, "wrong_password");
}

#[tokio::test]
async fn an_account_logs_in_only_so_often_and_strangers_do_not_count() {
    let shop = Shop::with_flags(&["--logins-per-account=3"]).await;
    register(&shop, "ani").await;
    register(&shop, "budi").await;
    let ani = email("ani");
    for _ in 0..5 {
        try_log_in_from(&shop, "203.0.113.7", &ani, "wrong").await.problem(401, "wrong_credentials");
    }
    for n in 0..3 {
        try_log_in_from(&shop, &format!("198.51.100.{n}"), &ani, PASSWORD).await.expect(200);
    }
    assert_limited(&try_log_in_from(&shop, "198.51.100.9", &ani, PASSWORD).await);
    try_log_in_from(&shop, "198.51.100.9", &email("budi"), PASSWORD).await.expect(200);
}

#[tokio::test]
async fn rates_are_off_for_load_tests() {
    let one = [
        "--registrations-per-network=1",
        "--logins-per-network=1",
        "--logins-per-account=1",
        "--password-checks-per-account=1",
        "--rate-limit=off",
    ];
    let shop = Shop::with_flags(&one).await;
    let ani = join(&shop, "ani").await.actor;
    join(&shop, "budi").await;
    crate::log_in(&shop, "ani").await;
    let change = json!({ "old_password": "wrong", "new_password": "a wholly new password" });
    for _ in 0..2 {
        ani.post("/api/v1/auth/change-password", change.clone()).await.problem(422, "wrong_password");
    }
}

#[tokio::test]
async fn while_redis_is_away_rates_are_not_limited() {
    let mut shop = Shop::with_flags(&["--registrations-per-network=1"]).await;
    shop.redis().kill().await.unwrap();
    for name in ["ani", "budi"] {
        register(&shop, name).await;
    }
}
