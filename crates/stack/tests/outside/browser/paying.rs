//! The hosted payment page, and the way back to the shop.

use super::chrome::{Chrome, with_chrome};
use crate::harness::Actors;

const CARD: &str = "button[value='credit_card']";
const VIRTUAL_ACCOUNT: &str = "form button[value='bank_transfer']";

#[tokio::test]
async fn a_test_card_pays_and_leads_back_to_the_shop() {
    let mut actors = Actors::open().await;
    let (order, page) = actors.awaiting().await;
    with_chrome("card", async |chrome| {
        chrome.open(&page).await;
        chrome.keep("payment-choose").await;
        chrome.write("input[name='card_number']", "4911 1111 1111 1113").await;
        chrome.click(CARD).await;
        chrome.reads("[role='alert']", "declined").await;
        chrome.keep("payment-declined").await;
        chrome.write("input[name='card_number']", "4811 1111 1111 1114").await;
        chrome.click(CARD).await;
        is_back(chrome, "Payment received").await;
        chrome.keep("paid").await;
        actors.customer.wait_for(order, &["PAID"]).await.unwrap();
        chrome.open(&page).await;
        chrome.reads("[role='status']", "Paid").await;
        chrome.keep("payment-over").await;
        chrome.assert_no_complaints("the payment page").await;
    })
    .await;
    actors.shop.stop().await.unwrap();
}

#[tokio::test]
async fn a_virtual_account_is_paid_denied_or_expires() {
    let mut actors = Actors::open().await;
    with_chrome("virtual-account", async |chrome| {
        for (button, headline, status) in
            [("pay", "Payment received", "PAID"), ("expire", "Too late", "FAILED")]
        {
            let (order, page) = actors.awaiting().await;
            waits_for_a_transfer(chrome, &page).await;
            chrome.click(&format!("button[value='{button}']")).await;
            is_back(chrome, headline).await;
            chrome.keep(&format!("back-after-{button}")).await;
            actors.customer.wait_for(order, &[status]).await.unwrap();
        }
        denied_and_paid_otherwise(chrome, &actors).await;
        chrome.assert_no_complaints("the payment page").await;
    })
    .await;
    actors.shop.stop().await.unwrap();
}

/// A denied transfer leaves the page open for another way to pay.
async fn denied_and_paid_otherwise(chrome: &Chrome, actors: &Actors) {
    let (order, page) = actors.awaiting().await;
    waits_for_a_transfer(chrome, &page).await;
    chrome.click("button[value='deny']").await;
    chrome.reads("[role='alert']", "declined").await;
    let seen = actors.customer.see_order(order).await.unwrap();
    assert_eq!(seen["status"], "AWAITING_PAYMENT");
    chrome.click(CARD).await;
    is_back(chrome, "Payment received").await;
    actors.customer.wait_for(order, &["PAID"]).await.unwrap();
}

async fn waits_for_a_transfer(chrome: &Chrome, page: &str) {
    chrome.open(page).await;
    chrome.click("details[name='method']:nth-of-type(2) > summary").await;
    chrome.click(VIRTUAL_ACCOUNT).await;
    chrome.reads("h2", "BCA virtual account").await;
    chrome.keep("payment-waiting").await;
}

async fn is_back(chrome: &Chrome, headline: &str) {
    chrome.reads("#headline", headline).await;
    assert_eq!(chrome.client.current_url().await.unwrap().path(), "/paid");
}
