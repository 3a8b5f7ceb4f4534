use midtrans::{ExpiryUnit, PageExpiry, SnapRequest, TransactionStatus};
use reqwest::StatusCode;

use crate::sandbox::{Sandbox, eventually, order_id};

/// A customer in front of a page, without JavaScript.
struct Customer<'a> {
    sandbox: &'a Sandbox,
    order_id: String,
    url: String,
}

impl<'a> Customer<'a> {
    async fn opening(sandbox: &'a Sandbox, change: impl FnOnce(SnapRequest) -> SnapRequest) -> Self {
        let order_id = order_id();
        let request = SnapRequest::new(&order_id, 1_234_500).finish("https://shop.example/paid?lang=id");
        let page = sandbox.midtrans.create_snap(&change(request)).await.unwrap();
        let url = format!("{}/snap/v4/redirection/{}", sandbox.base, page.token);
        Self { sandbox, order_id, url }
    }

    async fn sees(&self) -> String {
        let response = self.sandbox.http.get(&self.url).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.text().await.unwrap()
    }

    /// Presses a button; returns where it leads.
    async fn presses(&self, button: &str, card_number: &str) -> String {
        let form = [("action", button), ("card_number", card_number)];
        let response = self.sandbox.http.post(&self.url).form(&form).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        response.headers()["location"].to_str().unwrap().to_owned()
    }

    async fn status(&self) -> TransactionStatus {
        self.sandbox.status(&self.order_id).await.transaction_status
    }

    fn finish(&self, code: &str, status: &str) -> String {
        let order_id = &self.order_id;
        format!(
            "https://shop.example/paid?lang=id&order_id={order_id}&status_code={code}&transaction_status={status}"
        )
    }
}

#[tokio::test]
async fn the_page_shows_order_amount_and_methods_and_loads_nothing() {
    let sandbox = Sandbox::start().await;
    let customer = Customer::opening(&sandbox, |request| request).await;
    let page = customer.sees().await;
    for text in [&customer.order_id, "Rp 1.234.500", "Card", "Virtual account", "QRIS", "4811111111111114"] {
        assert!(page.contains(text), "{text}");
    }
    for foreign in ["<script", "<link", "src=", "@import", "url("] {
        assert!(!page.contains(foreign), "{foreign}");
    }
}

#[tokio::test]
async fn a_row_of_the_card_table_fills_the_form() {
    let sandbox = Sandbox::start().await;
    let mut customer = Customer::opening(&sandbox, |request| request).await;
    customer.url.push_str("?card=4911111111111113");
    assert!(customer.sees().await.contains(r#"name="card_number" value="4911111111111113""#));
}

#[tokio::test]
async fn a_card_leads_back_to_the_shop() {
    let sandbox = Sandbox::start().await;
    let customer = Customer::opening(&sandbox, |request| request).await;
    let location = customer.presses("credit_card", "4811 1111 1111 1114").await;
    assert_eq!(location, customer.finish("200", "capture"));
    assert_eq!(customer.status().await, TransactionStatus::Capture);
    assert!(customer.sees().await.contains("Paid"));
    let again = customer.presses("credit_card", "4811111111111114").await;
    assert!(customer.url.ends_with(&again), "a second press only shows how it ended");
}

#[tokio::test]
async fn a_denied_card_leaves_the_customer_on_the_page_to_try_another() {
    let sandbox = Sandbox::start().await;
    let customer = Customer::opening(&sandbox, |request| request).await;
    let location = customer.presses("credit_card", "4911111111111113").await;
    assert!(customer.url.ends_with(&location));
    assert!(customer.sees().await.contains("The bank declined: Do not honour"));
    assert_eq!(customer.status().await, TransactionStatus::Deny);
    customer.presses("credit_card", "5211111111111117").await;
    assert_eq!(customer.status().await, TransactionStatus::Capture);
}

#[tokio::test]
async fn a_virtual_account_is_shown_and_then_paid() {
    let sandbox = Sandbox::start().await;
    let customer = Customer::opening(&sandbox, |request| request).await;
    customer.presses("bank_transfer", "").await;
    assert_eq!(customer.status().await, TransactionStatus::Pending);
    let page = customer.sees().await;
    assert!(page.contains("BCA virtual account"));
    let back = format!("{}&amp;action=back", customer.finish("201", "pending").replace('&', "&amp;"));
    assert!(page.contains(&back), "{page}");
    assert_eq!(customer.presses("pay", "").await, customer.finish("200", "settlement"));
    assert_eq!(customer.status().await, TransactionStatus::Settlement);
}

#[tokio::test]
async fn a_qris_payment_can_expire_or_be_denied() {
    let sandbox = Sandbox::start().await;
    let customer = Customer::opening(&sandbox, |request| request).await;
    customer.presses("qris", "").await;
    assert_eq!(customer.presses("expire", "").await, customer.finish("407", "expire"));
    assert!(customer.sees().await.contains("Expired"));

    let customer = Customer::opening(&sandbox, |request| request).await;
    customer.presses("qris", "").await;
    customer.presses("deny", "").await;
    assert_eq!(customer.status().await, TransactionStatus::Deny);
    assert!(customer.sees().await.contains("The payment was declined"));
}

#[tokio::test]
async fn a_page_whose_time_is_over_says_so() {
    let sandbox = Sandbox::start().await;
    let soon = Some(PageExpiry { unit: ExpiryUnit::Second, duration: 1 });
    let customer = Customer::opening(&sandbox, |request| SnapRequest { page_expiry: soon, ..request }).await;
    eventually(async || customer.sees().await.contains("The time to pay is over").then_some(())).await;
}

#[tokio::test]
async fn a_wrong_card_number_or_button_is_explained() {
    let sandbox = Sandbox::start().await;
    let customer = Customer::opening(&sandbox, |request| request).await;
    for form in
        [[("action", "credit_card"), ("card_number", "12")], [("action", "steal"), ("card_number", "")]]
    {
        let response = sandbox.http.post(&customer.url).form(&form).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        assert!(response.text().await.unwrap().contains("Not possible"));
    }
}

#[tokio::test]
async fn an_unknown_or_replaced_page_is_not_found() {
    let sandbox = Sandbox::start().await;
    let customer = Customer::opening(&sandbox, |request| request).await;
    sandbox.page(&customer.order_id, 1).await;
    let response = sandbox.http.get(&customer.url).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert!(response.text().await.unwrap().contains("replaced by a newer one"));
}

#[tokio::test]
async fn what_the_merchant_sends_can_not_become_markup_or_script() {
    let sandbox = Sandbox::start().await;
    let customer = Customer::opening(&sandbox, |mut request| {
        request.transaction_details.order_id = "<script>alert(1)</script>".to_owned();
        request.finish("javascript:alert(1)")
    })
    .await;
    let page = customer.sees().await;
    assert!(!page.contains("<script") && !page.contains("javascript:"));
    assert!(page.contains("&lt;script&gt;"));
}
