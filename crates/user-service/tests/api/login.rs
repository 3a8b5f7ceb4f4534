use chassis::Role;
use futures::future::join_all;
use serde_json::Value;

use crate::{PASSWORD, Shop, email, join, register, try_log_in, try_log_in_from};

#[tokio::test]
async fn who_knows_the_password_gets_tokens() {
    let shop = Shop::start().await;
    let user = register(&shop, "ani").await;
    let reply = try_log_in(&shop, "ANI@example.com", PASSWORD).await;
    let tokens = reply.expect(200);
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&"Bearer".into(), &900.into()));

    let claims = shop.context().tokens.verify(tokens["access_token"].as_str().unwrap()).unwrap();
    assert_eq!(Value::from(claims.user_id.get()), user["id"]);
    assert_eq!((claims.email.as_str(), claims.username.as_str()), ("ani@example.com", "ani"));
    assert_eq!((claims.role, claims.exp - claims.iat), (Role::User, 900));
    assert_eq!((claims.iss.as_str(), claims.aud.as_str()), ("user-service", "shop"));

    let other = try_log_in(&shop, &email("ani"), PASSWORD).await.expect(200);
    assert_ne!(other["refresh_token"], tokens["refresh_token"], "each login is a session of its own");
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_look_the_same() {
    let shop = Shop::start().await;
    register(&shop, "ani").await;
    let mut wrong = try_log_in(&shop, &email("ani"), "wrong").await.problem(401, "wrong_credentials");
    let reply = try_log_in(&shop, &email("nobody"), PASSWORD).await;
    assert_eq!(reply.header("www-authenticate"), "Bearer");
    let mut unknown = reply.problem(401, "wrong_credentials");
    for body in [&mut wrong, &mut unknown] {
        body.as_object_mut().unwrap().remove("correlation_id");
    }
    assert_eq!(wrong, unknown);
}

#[tokio::test]
async fn after_ten_failures_an_address_has_to_wait_known_or_not() {
    let shop = Shop::start().await;
    register(&shop, "ani").await;
    register(&shop, "budi").await;
    for name in ["ani", "nobody"] {
        for _ in 0..10 {
            try_log_in(&shop, &email(name), "wrong").await.problem(401, "wrong_credentials");
        }
        let reply = try_log_in(&shop, &email(name), PASSWORD).await;
        reply.problem(429, "too_many_requests");
        let wait: u32 = reply.header("retry-after").parse().unwrap();
        assert!((1..=300).contains(&wait), "{wait}");
    }
    try_log_in(&shop, "ANI@EXAMPLE.COM", PASSWORD).await.problem(429, "too_many_requests");
    try_log_in(&shop, &email("budi"), PASSWORD).await.expect(200);
}

#[tokio::test]
async fn many_attempts_at_once_get_no_more_answers_than_one_after_the_other() {
    let shop = Shop::start().await;
    register(&shop, "ani").await;
    let ani = email("ani");
    let replies = join_all((0..25).map(|_| try_log_in(&shop, &ani, "wrong"))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status() == 401).count(), 10);
    assert_eq!(replies.iter().filter(|reply| reply.status() == 429).count(), 15);
}

#[tokio::test]
async fn failures_are_counted_per_client_address_too() {
    let shop = Shop::start().await;
    register(&shop, "ani").await;
    let strangers: Vec<String> = (0..100).map(|n| email(&format!("nobody{n}"))).collect();
    let tries = strangers.iter().map(|stranger| try_log_in_from(&shop, "203.0.113.7", stranger, "wrong"));
    assert!(join_all(tries).await.iter().all(|reply| reply.status() == 401));
    let ani = email("ani");
    try_log_in_from(&shop, "203.0.113.7", &ani, PASSWORD).await.problem(429, "too_many_requests");
    try_log_in_from(&shop, "203.0.113.8", &ani, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn successes_are_not_counted() {
    let shop = Shop::start().await;
    register(&shop, "ani").await;
    for _ in 0..11 {
        try_log_in(&shop, &email("ani"), PASSWORD).await.expect(200);
    }
}

#[tokio::test]
async fn while_redis_is_away_logins_go_on_without_a_limit() {
    let mut shop = Shop::start().await;
    join(&shop, "ani").await;
    shop.redis().kill().await.unwrap();
    for _ in 0..11 {
        try_log_in(&shop, &email("ani"), "wrong").await.problem(401, "wrong_credentials");
    }
    try_log_in(&shop, &email("ani"), PASSWORD).await.expect(200);
}
