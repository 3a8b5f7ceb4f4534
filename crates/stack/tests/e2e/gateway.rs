//! What the gateway says by itself.

use std::net::{Ipv6Addr, TcpListener};

use futures::StreamExt;
use reqwest::Method;
use serde_json::json;
use stack::actors::Poller;
use stack::api::{Api, Reply};
use stack::shop::Service;
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use crate::floods::{answer, connect};
use crate::harness::{Answer, Open};

#[tokio::test]
async fn the_gateway_routes_limits_and_explains_itself() {
    let mut open = Open::shop().await;
    pages_and_documents_are_there(&open).await;
    only_the_contract_is_routed(&open).await;
    invented_methods_reach_no_service(&open).await;
    oversized_requests_are_refused(&open).await;
    correlation_ids_are_kept_or_replaced(&open).await;
    http_0_9_is_not_spoken(&open).await;
    both_loopback_addresses_answer(&open).await;
    the_health_of_the_shop_is_asked_for_once_a_second(&open).await;
    a_dead_service_is_a_503_and_its_neighbours_go_on(&mut open).await;
    open.close().await;
}

async fn pages_and_documents_are_there(open: &Open) {
    let page = open.api.get("/", None).await.unwrap();
    assert_eq!(page.status, 200);
    for service in Service::SERVICES {
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
    for path in ["/account", "/account.js"] {
        assert_eq!(open.api.get(path, None).await.unwrap().status, 200, "{path}");
    }
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

async fn invented_methods_reach_no_service(open: &Open) {
    for path in ["/api/v1/products", "/api/v1/login", "/midtrans/v2/token", "/health", "/", "/nothing"] {
        for method in ["INVENTED", "TRACE", "PROPFIND", "get", "M-SEARCH"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let reply = open.api.send(open.api.request(method.clone(), path)).await.unwrap();
            if method.as_str() == "get" {
                reply.refused(400, "malformed");
                continue;
            }
            assert_eq!(
                reply.header("allow"),
                "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
                "{method} {path}"
            );
            reply.refused(405, "method_not_allowed");
        }
    }
    let metrics = Api::new(open.shop.service_url(Service::Product)).unwrap();
    let metrics = metrics.get("/metrics", None).await.unwrap().text;
    assert!(metrics.contains("http_requests_total"));
    assert!(!metrics.contains("INVENTED") && !metrics.contains("M-SEARCH"), "{metrics}");
}

async fn http_0_9_is_not_spoken(open: &Open) {
    assert_eq!(raw(open, "GET /api/v1/products\r\n").await, "");
    assert_eq!(raw(open, "GET /\r\n").await, "");
    let page = raw(open, "GET / HTTP/1.0\r\n\r\n").await;
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    let refused = raw(open, "nonsense\r\n\r\n").await;
    assert!(refused.starts_with("HTTP/1.1 400") && refused.contains("/problems/malformed"), "{refused}");
}

async fn raw(open: &Open, request: &str) -> String {
    let mut connection = connect(open).await;
    connection.write_all(request.as_bytes()).await.unwrap();
    answer(connection).await
}

/// `localhost` is both, where a machine has IPv6.
async fn both_loopback_addresses_answer(open: &Open) {
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        return;
    }
    let api = Api::new(open.shop.base_url().replace("127.0.0.1", "[::1]")).unwrap();
    assert_eq!(api.get("/", None).await.unwrap().status, 200);
}

async fn the_health_of_the_shop_is_asked_for_once_a_second(open: &Open) {
    let (before, began) = (times_asked(open).await, Instant::now());
    let ask = async |_| open.api.get("/health", None).await.unwrap().status;
    let statuses: Vec<u16> = futures::stream::iter(0..300).map(ask).buffer_unordered(50).collect().await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    let asked = times_asked(open).await - before;
    assert!(asked <= began.elapsed().as_secs() + 2, "{asked} times in {:?}", began.elapsed());
}

/// How often user-service, the first that the gateway asks, was asked for the health of all.
async fn times_asked(open: &Open) -> u64 {
    let metrics = Api::new(open.shop.service_url(Service::User)).unwrap();
    let metrics = metrics.get("/metrics", None).await.unwrap().text;
    let counts = metrics
        .lines()
        .filter(|line| line.starts_with("http_requests_total") && line.contains("\"/health/shop\""));
    counts.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

async fn a_dead_service_is_a_503_and_its_neighbours_go_on(open: &mut Open) {
    open.shop.kill(Service::User).await.unwrap();
    for method in [Method::GET, Method::POST] {
        let reply = open.api.call(method, "/api/v1/auth/profile", None, &json!({})).await.unwrap();
        reply.refused(503, "upstream_unavailable");
    }
    assert_eq!(open.api.get("/api/v1/products", None).await.unwrap().status, 200);
    let health = health_becomes(open, 503).await;
    assert_ne!(health.code(), "upstream_unavailable", "one of the other five answers for all");
    open.shop.restart(Service::User).await.unwrap();
    health_becomes(open, 200).await;
}

/// What the gateway knows may be a second old.
async fn health_becomes(open: &Open, status: u16) -> Reply {
    let mut poller = Poller::new();
    loop {
        let health = open.api.get("/health", None).await.unwrap();
        if health.status == status {
            return health;
        }
        poller.wait(|| format!("the shop's health is {}, not {status},", health.status)).await.unwrap();
    }
}
