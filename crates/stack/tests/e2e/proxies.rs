//! A gateway behind another proxy.

use futures::StreamExt;
use reqwest::Method;
use serde_json::json;
use stack::api::Api;
use stack::shop::{Shop, ShopOptions};

use crate::harness::shared_postgres;

#[tokio::test]
async fn behind_a_trusted_proxy_each_customer_has_limits_of_their_own() {
    let mut options = ShopOptions::for_test(shared_postgres()).unwrap();
    options.settings = options.settings.with("TRUSTED_PROXIES", "192.0.2.1, 127.0.0.1");
    let mut shop = Shop::start(options, |_| {}).await.unwrap();
    let api = Api::new(shop.base_url()).unwrap();
    let ask = async |came_for: &str| {
        let request = api.request(Method::POST, "/api/v1/register").header("X-Forwarded-For", came_for);
        api.send(request.json(&json!({}))).await.unwrap().status
    };
    let flood = async |_| ask("203.0.113.9, 198.51.100.1").await;
    let flooded: Vec<u16> = futures::stream::iter(0..800).map(flood).buffer_unordered(40).collect().await;
    assert!(flooded.contains(&429), "one customer's flood is slowed down");
    assert_eq!(ask("198.51.100.2").await, 400, "another customer is served");
    shop.stop().await.unwrap();
}
