//! The landing page, in a browser: every link leads somewhere.

use fantoccini::Locator;

use super::chrome::{Chrome, with_chrome};

#[tokio::test]
async fn every_link_of_the_landing_page_leads_somewhere() {
    let mut shop = crate::harness::open().await;
    let home = shop.public_url();
    with_chrome("landing", async |chrome| {
        chrome.open(&home).await;
        chrome.reads("h1", "The shop is open").await;
        chrome.keep("landing").await;
        chrome.assert_no_complaints("the landing page").await;
        let links = links(chrome).await;
        assert!(links.len() >= 9, "{links:?}");
        for link in links {
            chrome.open(&home).await;
            chrome.click(&format!("a[href='{link}']")).await;
            assert_eq!(chrome.status().await, 200, "{link}");
            assert!(chrome.client.current_url().await.unwrap().path().starts_with(&link), "{link}");
        }
    })
    .await;
    shop.stop().await.unwrap();
}

async fn links(chrome: &Chrome) -> Vec<String> {
    let mut links = Vec::new();
    for link in chrome.client.find_all(Locator::Css("a")).await.unwrap() {
        links.push(link.attr("href").await.unwrap().unwrap());
    }
    links
}
