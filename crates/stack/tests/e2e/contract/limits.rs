//! How often one may try. The last of all: afterwards this machine is not welcome for a while.

use futures::StreamExt;
use serde_json::json;
use stack::api::Reply;

use super::accounts::{PASSWORD, email, log_in};
use crate::harness::{Answer, NOBODY, Open};

pub async fn hold(open: &Open) {
    a_hundred_failures_close_a_client_to_everybody(open).await;
    a_flood_is_slowed_down_by_the_gateway(open).await;
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
    for path in ["/api/v1/register", "/api/v1/login", "/api/v1/auth/refresh"] {
        let line = format!("POST {path}");
        let ask = async |_| open.ask(NOBODY, &line, json!({})).await;
        let replies: Vec<Reply> = futures::stream::iter(0..600).map(ask).buffer_unordered(40).collect().await;
        assert!(replies.iter().all(|reply| [400, 429].contains(&reply.status)), "{path}");
        let limited = replies.into_iter().find(|reply| reply.status == 429);
        limited.expect(path).refused(429, "too_many_requests");
    }
}
