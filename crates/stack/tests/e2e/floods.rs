//! How much of the gateway one network can take.

use futures::StreamExt;
use futures::future::join_all;
use reqwest::Method;
use serde_json::json;
use stack::api::{Api, Reply};
use stack::shop::{Shop, ShopOptions};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Answer, Open, shared_postgres};

/// Requests of one network that may be on their way at the same time.
const CONNECTIONS: usize = 256;

#[tokio::test]
async fn one_network_gets_no_more_than_its_share() {
    let open = Open::shop().await;
    what_hashes_passwords_is_slowed_down(&open).await;
    senders_who_dawdle_are_few_and_give_up_soon(&open).await;
    a_flood_of_anything_is_slowed_down(&open).await;
    open.close().await;
}

async fn what_hashes_passwords_is_slowed_down(open: &Open) {
    for (method, path) in [
        (Method::POST, "/api/v1/register"),
        (Method::POST, "/api/v1/login"),
        (Method::POST, "/api/v1/auth/change-password"),
        (Method::PUT, "/api/v1/auth/profile"),
    ] {
        // Each from an address of its own, as the client says, which nobody believes.
        let ask = async |n: u32| {
            let request = open.api.request(method.clone(), path).json(&json!({}));
            open.api.send(request.header("X-Forwarded-For", format!("198.51.100.{}", n % 250))).await.unwrap()
        };
        let replies: Vec<Reply> = futures::stream::iter(0..600).map(ask).buffer_unordered(40).collect().await;
        assert!(replies.iter().all(|reply| [400, 401, 429].contains(&reply.status)), "{path}");
        let limited: Vec<Reply> = replies.into_iter().filter(|reply| reply.status == 429).collect();
        assert!((1..=600 - 100).contains(&limited.len()), "{path}: {} of 600 were limited", limited.len());
        for reply in limited {
            reply.refused(429, "too_many_requests");
        }
    }
    let reading = open.api.get("/api/v1/auth/profile", None).await.unwrap();
    reading.refused(401, "unauthorized");
}

async fn a_flood_of_anything_is_slowed_down(open: &Open) {
    let many = "GET /shop.css HTTP/1.1\r\nHost: shop\r\n\r\n".repeat(3000);
    let last = "GET /shop.css HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n";
    let (answers, mut requests) = connect(open).await.into_split();
    let sending = async { requests.write_all((many + last).as_bytes()).await.unwrap() };
    let (text, ()) = tokio::join!(answer(answers), sending);
    let count = |status: &str| text.matches(&format!("HTTP/1.1 {status} ")).count();
    assert_eq!(count("200") + count("429"), 3001);
    assert!(count("200") > 0 && count("429") > 0, "{} of 3001 were limited", count("429"));
}

async fn senders_who_dawdle_are_few_and_give_up_soon(open: &Open) {
    let answers = join_all((0..CONNECTIONS + 40).map(async |_| {
        let mut connection = connect(open).await;
        let head = "POST /api/v1/order HTTP/1.1\r\nHost: shop\r\nContent-Length: 9\r\n\r\n{";
        connection.write_all(head.as_bytes()).await.unwrap();
        answer(connection).await
    }))
    .await;
    let refused = answers.iter().filter(|answer| answer.starts_with("HTTP/1.1 429")).count();
    let cut_off = answers.iter().filter(|answer| answer.is_empty()).count();
    assert_eq!((refused, cut_off), (40, CONNECTIONS));
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_network_has_limits_of_its_own() {
    let mut options = ShopOptions::for_test(shared_postgres()).unwrap();
    options.settings = options.settings.with("TRUSTED_PROXIES", "192.0.2.0/24, 127.0.0.1");
    let mut shop = Shop::start(options, |_| {}).await.unwrap();
    let api = Api::new(shop.base_url()).unwrap();
    let ask = async |came_for: String| {
        let request = api.request(Method::POST, "/api/v1/register").header("X-Forwarded-For", came_for);
        api.send(request.json(&json!({}))).await.unwrap().status
    };
    let is_limited = async |addresses: &dyn Fn(usize) -> String| {
        let ask = async |n| ask(addresses(n)).await;
        let statuses: Vec<u16> = futures::stream::iter(0..600).map(ask).buffer_unordered(40).collect().await;
        statuses.contains(&429)
    };
    assert!(is_limited(&|_| "203.0.113.9, 198.51.100.1, 192.0.2.77".to_owned()).await);
    assert_eq!(ask("198.51.100.2".to_owned()).await, 400, "another customer is served");
    assert!(is_limited(&|n| format!("2001:db8:0:7:{n:x}::1")).await, "they are all in one /64");
    assert_eq!(ask("2001:db8:0:8::1".to_owned()).await, 400, "another network is served");
    assert!(!is_limited(&|n| format!("::ffff:198.51.{}.7", n % 250)).await, "IPv4 addresses in IPv6's form");
    shop.stop().await.unwrap();
}

#[tokio::test]
async fn without_limits_nobody_is_slowed_down() {
    let mut options = ShopOptions::for_test(shared_postgres()).unwrap();
    options.settings = options.settings.with("RATE_LIMIT", "off");
    let open = Open::of(options).await;
    for path in ["/api/v1/register", "/api/v1/auth/refresh"] {
        let ask = async |_| open.api.post(path, None, &json!({})).await.unwrap().status;
        let statuses: Vec<u16> = futures::stream::iter(0..600).map(ask).buffer_unordered(40).collect().await;
        assert!(statuses.iter().all(|status| *status == 400), "{path}");
    }
    open.close().await;
}

/// What comes until the gateway closes or resets the connection.
pub async fn answer(mut connection: impl AsyncRead + Unpin) -> String {
    let mut answer = Vec::new();
    while connection.read_buf(&mut answer).await.is_ok_and(|count| count > 0) {}
    String::from_utf8(answer).unwrap()
}

pub async fn connect(open: &Open) -> TcpStream {
    TcpStream::connect(open.shop.base_url().trim_start_matches("http://")).await.unwrap()
}
