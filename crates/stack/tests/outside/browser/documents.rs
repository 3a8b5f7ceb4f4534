//! Swagger UI of each service: opens, takes a token, and "Try it out" works.

use super::chrome::{Chrome, with_chrome};
use crate::harness::Actors;

/// A service, and a route of it that needs a token.
const ROUTES: [(&str, &str); 6] = [
    ("user", "/api/v1/auth/profile"),
    ("product", "/api/v1/products"),
    ("cart", "/api/v1/cart"),
    ("order", "/api/v1/order"),
    ("payment", "/api/v1/payment/{order_id}"),
    ("delivery", "/api/v1/delivery"),
];

#[tokio::test]
async fn every_document_opens_takes_a_token_and_tries_a_route() {
    let mut actors = Actors::open().await;
    let (order, _) = actors.awaiting().await;
    let (home, token) = (actors.shop.public_url(), actors.customer.token.clone());
    with_chrome("documents", async |chrome| {
        for (service, route) in ROUTES {
            chrome.open(&format!("{home}/{service}-docs/index.html")).await;
            // Swagger UI keeps the token of the service before for its neighbours.
            chrome.client.execute("localStorage.clear()", Vec::new()).await.unwrap();
            chrome.client.refresh().await.unwrap();
            chrome.reads(".info .title", &format!("{service}-service")).await;
            authorize(chrome, &token).await;
            try_out(chrome, route, order).await;
            chrome.keep(&format!("document-{service}")).await;
            chrome.assert_no_complaints(service).await;
        }
    })
    .await;
    actors.shop.stop().await.unwrap();
}

async fn authorize(chrome: &Chrome, token: &str) {
    chrome.click(".auth-wrapper .btn.authorize").await;
    chrome.write(".auth-container input", token).await;
    chrome.click(".auth-btn-wrapper .btn.authorize").await;
    chrome.click(".auth-btn-wrapper .btn-done").await;
}

async fn try_out(chrome: &Chrome, route: &str, order: i64) {
    chrome.click(&format!(".opblock-get .opblock-summary-path[data-path='{route}']")).await;
    if route.contains("{order_id}") {
        chrome.write(".opblock.is-open tr[data-param-name='order_id'] input", &order.to_string()).await;
    }
    chrome.click(".opblock.is-open .btn.execute").await;
    chrome.reads(".opblock.is-open .live-responses-table .response .response-col_status", "200").await;
}
