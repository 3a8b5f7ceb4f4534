//! What the gateway says by itself.

use futures::StreamExt;
use reqwest::Method;
use serde_json::json;
use stack::api::Reply;
use stack::shop::Service;

use crate::harness::{Answer, Open};

#[tokio::test]
async fn the_gateway_routes_limits_and_explains_itself() {
    let mut open = Open::shop().await;
    pages_and_documents_are_there(&open).await;
    only_the_contract_is_routed(&open).await;
    oversized_requests_are_refused(&open).await;
    correlation_ids_are_kept_or_replaced(&open).await;
    a_flood_of_registrations_is_slowed_down(&open).await;
    a_dead_service_is_a_503_and_its_neighbours_go_on(&mut open).await;
    open.close().await;
}

async fn pages_and_documents_are_there(open: &Open) {
    let page = open.api.get("/", None).await.unwrap();
    assert_eq!(page.status, 200);
    for service in Service::SIX {
        let docs = format!("/{}-docs", service.name().trim_end_matches("-service"));
        assert!(page.text.contains(&format!("href=\"{docs}/index.html\"")), "{docs}");
        assert_eq!(open.api.get(&format!("{docs}/index.html"), None).await.unwrap().status, 200, "{docs}");
        let document = open.api.get(&format!("{docs}/openapi.json"), None).await.unwrap();
        assert_eq!(document.body["openapi"].as_str().unwrap_or_default().get(..3), Some("3.1"), "{docs}");
    }
    assert_eq!(
        open.api.get("/paid?order_id=1&transaction_status=settlement", None).await.unwrap().status,
        200
    );
    assert_eq!(open.api.get("/health", None).await.unwrap().status, 200);
    assert_eq!(page.header("x-content-type-options"), "nosniff");
}

async fn only_the_contract_is_routed(open: &Open) {
    for path in [
        "/nothing",
        "/metrics",
        "/health/live",
        "/health/ready",
        "/health/shop",
        "/api/v1/nothing",
        "/api/v1/",
    ] {
        open.api.get(path, None).await.unwrap().refused(404, "not_found");
    }
    let posted = open.api.call(Method::POST, "/", None, &json!({})).await.unwrap();
    assert!(posted.header("allow").contains("GET"));
    posted.refused(405, "method_not_allowed");
}

async fn oversized_requests_are_refused(open: &Open) {
    let body = vec![b' '; 64 * 1024 + 1];
    let large = open.api.send(open.api.request(Method::POST, "/api/v1/register").body(body)).await.unwrap();
    large.refused(413, "too_large");
    let path = format!("/api/v1/products?search={}", "a".repeat(10_000));
    open.api.get(&path, None).await.unwrap().refused(414, "uri_too_long");
}

async fn correlation_ids_are_kept_or_replaced(open: &Open) {
    let longest = "x".repeat(64);
    let too_long = "x".repeat(65);
    for path in ["/nothing", "/api/v1/products", "/api/v1/order", "/"] {
        for good in ["a", "Az09._-", &longest] {
            let reply = asked_with(open, path, good).await;
            assert_eq!(reply.header("x-correlation-id"), good, "{path}");
        }
        for bad in ["", "a b", "a/b", "ä", &too_long] {
            let given = asked_with(open, path, bad).await.header("x-correlation-id").to_owned();
            assert!(given != bad && (1..=64).contains(&given.len()), "{path}: {bad:?} became {given:?}");
        }
    }
}

async fn asked_with(open: &Open, path: &str, correlation_id: &str) -> Reply {
    let request = open.api.request(Method::GET, path).header("X-Correlation-ID", correlation_id);
    open.api.send(request).await.unwrap()
}

async fn a_flood_of_registrations_is_slowed_down(open: &Open) {
    // Each from an address of its own, as the client says, which nobody believes.
    let ask = async |n: u32| {
        let request = open.api.request(Method::POST, "/api/v1/register");
        let request = request.header("X-Forwarded-For", format!("198.51.100.{}", n % 250));
        open.api.send(request.json(&json!({}))).await.unwrap()
    };
    let replies: Vec<Reply> = futures::stream::iter(0..800).map(ask).buffer_unordered(40).collect().await;
    assert!(replies.iter().all(|reply| [400, 429].contains(&reply.status)));
    let limited: Vec<Reply> = replies.into_iter().filter(|reply| reply.status == 429).collect();
    assert!(!limited.is_empty() && limited.len() <= 600, "{} of 800 were limited", limited.len());
    for reply in limited {
        reply.refused(429, "too_many_requests");
    }
}

async fn a_dead_service_is_a_503_and_its_neighbours_go_on(open: &mut Open) {
    open.shop.kill(Service::User).await.unwrap();
    for method in [Method::GET, Method::POST] {
        let reply = open.api.call(method, "/api/v1/auth/profile", None, &json!({})).await.unwrap();
        reply.refused(503, "upstream_unavailable");
    }
    assert_eq!(open.api.get("/api/v1/products", None).await.unwrap().status, 200);
    let health = open.api.get("/health", None).await.unwrap();
    assert_eq!(health.status, 503, "{}", health.text);
    assert_ne!(health.code(), "upstream_unavailable", "one of the other five answers for all");
    open.shop.restart(Service::User).await.unwrap();
    assert_eq!(open.api.get("/health", None).await.unwrap().status, 200);
}
