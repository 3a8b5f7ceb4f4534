//! How often one may try. The last of all: afterwards this machine is not welcome for a while.

use futures::StreamExt;
use serde_json::json;
use stack::api::Reply;

use super::accounts::{PASSWORD, email, log_in};
use crate::harness::{Answer, NOBODY, Open};

pub async fn hold(open: &Open) {
    one_customer_cannot_keep_the_shop_busy(open).await;
    a_hundred_failures_close_a_client_to_everybody(open).await;
    a_flood_is_slowed_down_by_the_gateway(open).await;
}

async fn one_customer_cannot_keep_the_shop_busy(open: &Open) {
    let (greedy, other) = (open.customer().await, open.customer().await);
    let item = "/api/v1/cart/item";
    for (line, body) in [
        ("POST /api/v1/order".to_owned(), json!({})),
        ("POST /api/v1/checkout".to_owned(), json!({})),
        ("POST /api/v1/order/1000000000/cancel".to_owned(), json!({})),
        (format!("POST {item}"), json!({"product_id": 1_000_000_000, "quantity": 1})),
        (format!("PUT {item}/1000000000"), json!({"quantity": 1})),
        (format!("DELETE {item}/1000000000"), json!(null)),
        ("DELETE /api/v1/cart".to_owned(), json!(null)),
    ] {
        let ask = async |_| open.ask(&greedy.token, &line, body.clone()).await;
        let replies: Vec<Reply> = futures::stream::iter(0..400).map(ask).buffer_unordered(40).collect().await;
        let limited = replies.into_iter().find(|reply| reply.status == 429);
        limited.expect(&line).refused(429, "too_many_requests");
        let reply = open.ask(&other.token, &line, body.clone()).await;
        assert_ne!(reply.status, 429, "{line}: nobody else is concerned");
    }
}

async fn a_hundred_failures_close_a_client_to_everybody(open: &Open) {
    let customer = open.customer().await;
    let mut failures = 0;
    while log_in(open, &format!("nobody-{failures}@example.com"), "guess, guess").await.status == 401 {
        failures += 1;
        assert!(failures <= 100, "failures with ever other addresses are counted too");
    }
    log_in(open, &email(&customer), PASSWORD).await.refused(429, "too_many_requests");
}

async fn a_flood_is_slowed_down_by_the_gateway(open: &Open) {
    for path in [
        "/api/v1/register",
        "/api/v1/login",
        "/api/v1/auth/refresh",
        "/api/v1/auth/forgot-password",
        "/api/v1/auth/reset-password",
        "/api/v1/auth/verify-email",
        "/api/v1/auth/verify-email/resend",
        "/api/v1/auth/change-email",
    ] {
        let line = format!("POST {path}");
        let ask = async |_| open.ask(NOBODY, &line, json!({})).await;
        let replies: Vec<Reply> = futures::stream::iter(0..600).map(ask).buffer_unordered(40).collect().await;
        assert!(replies.iter().all(|reply| [400, 401, 429].contains(&reply.status)), "{path}");
        let limited = replies.into_iter().find(|reply| reply.status == 429);
        limited.expect(path).refused(429, "too_many_requests");
    }
}
