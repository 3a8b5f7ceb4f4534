use midtrans::{Error, SnapRequest, TransactionStatus};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::sandbox::{KEY, Sandbox, client, order_id};

async fn create(sandbox: &Sandbox, body: impl Into<String>) -> (StatusCode, Value) {
    let url = format!("{}/snap/v1/transactions", sandbox.base);
    let response = sandbox
        .http
        .post(url)
        .basic_auth(KEY, Some(""))
        .header("content-type", "application/json")
        .body(body.into())
        .send()
        .await
        .unwrap();
    (response.status(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_page_has_a_token_and_a_public_address() {
    let sandbox = Sandbox::start().await;
    let page = sandbox.page(&order_id(), 10_000).await;
    assert_eq!(page.token.len(), 36);
    let expected = format!("http://shop.example/midtrans/snap/v4/redirection/{}", page.token);
    assert_eq!(page.redirect_url, expected);
}

#[tokio::test]
async fn nothing_is_known_to_the_core_api_until_a_method_is_chosen() {
    let sandbox = Sandbox::start().await;
    let order_id = order_id();
    sandbox.page(&order_id, 10_000).await;
    assert!(matches!(sandbox.midtrans.status(&order_id).await, Err(Error::NotFound(_))));
    assert!(matches!(sandbox.midtrans.cancel(&order_id).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn a_request_without_anything_lists_what_is_required() {
    let sandbox = Sandbox::start().await;
    for body in ["null", "{}", ""] {
        let (status, reply) = create(&sandbox, body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(
            reply,
            json!({"error_messages": [
                "transaction_details.gross_amount is required",
                "transaction_details.gross_amount is not a number",
                "transaction_details.order_id is required",
            ]})
        );
    }
}

#[tokio::test]
async fn broken_json_is_a_bad_request() {
    let sandbox = Sandbox::start().await;
    let (status, reply) = create(&sandbox, "{\"transaction_details\":").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(reply["error_messages"][0], "The request body is not valid JSON");
}

#[tokio::test]
async fn items_that_do_not_add_up_are_rejected() {
    let sandbox = Sandbox::start().await;
    let mut request = SnapRequest::new(order_id(), 10_000);
    request.item_details =
        vec![midtrans::ItemDetail { id: "1".into(), price: 3_000, quantity: 3, name: "Bear".into() }];
    match sandbox.midtrans.create_snap(&request).await {
        Err(Error::Rejected { code: 400, messages }) => {
            assert_eq!(
                messages,
                ["transaction_details.gross_amount is not equal to the sum of item_details"]
            );
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_wrong_key_is_told_apart() {
    let sandbox = Sandbox::start().await;
    let stranger = client(&sandbox.base, "SB-Mid-server-other");
    let error = stranger.create_snap(&SnapRequest::new(order_id(), 1)).await.unwrap_err();
    assert!(matches!(&error, Error::Unauthorized { code: 401, message } if message.contains("unauthorized")));
    assert!(matches!(stranger.status("x").await, Err(Error::Unauthorized { .. })));
}

#[tokio::test]
async fn making_the_page_again_before_a_charge_revokes_the_first() {
    let sandbox = Sandbox::start().await;
    let order_id = order_id();
    let first = sandbox.page(&order_id, 10_000).await;
    let second = sandbox.page(&order_id, 12_000).await;
    assert_ne!(first.token, second.token);
    assert!(matches!(sandbox.midtrans.cancel_snap_token(&first.token).await, Err(Error::NotFound(_))));
    let paid = sandbox.pay(json!({"token": second.token})).await;
    assert_eq!(paid["gross_amount"], "12000.00");
}

#[tokio::test]
async fn an_order_id_that_waits_or_is_paid_is_taken() {
    let sandbox = Sandbox::start().await;
    for outcome in ["pending", "settlement"] {
        let order_id = order_id();
        let page = sandbox.page(&order_id, 10_000).await;
        sandbox.pay(json!({"token": page.token, "payment_type": "qris", "outcome": outcome})).await;
        let again = sandbox.midtrans.create_snap(&SnapRequest::new(&order_id, 10_000)).await;
        assert!(matches!(again, Err(Error::DuplicateOrderId(_))), "{outcome}: {again:?}");
    }
}

#[tokio::test]
async fn an_order_id_is_free_again_after_cancel_and_expire() {
    let sandbox = Sandbox::start().await;
    for outcome in ["cancel", "expire"] {
        let order_id = order_id();
        let page = sandbox.page(&order_id, 10_000).await;
        sandbox.pay(json!({"token": page.token, "payment_type": "gopay", "outcome": outcome})).await;
        let page = sandbox.page(&order_id, 10_000).await;
        sandbox.pay(json!({"token": page.token, "payment_type": "gopay"})).await;
        assert_eq!(sandbox.status(&order_id).await.transaction_status, TransactionStatus::Settlement);
    }
}

#[tokio::test]
async fn a_cancelled_token_can_not_be_paid() {
    let sandbox = Sandbox::start().await;
    let page = sandbox.page(&order_id(), 10_000).await;
    sandbox.midtrans.cancel_snap_token(&page.token).await.unwrap();
    sandbox.midtrans.cancel_snap_token(&page.token).await.expect("cancelling again is no error");
    let (status, problem) = sandbox.control(Method::POST, "/pay", json!({"token": page.token})).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("page_over")));
}

#[tokio::test]
async fn a_token_on_which_a_method_is_chosen_is_not_cancelled() {
    let sandbox = Sandbox::start().await;
    let page = sandbox.page(&order_id(), 10_000).await;
    sandbox.pay(json!({"token": page.token, "payment_type": "bank_transfer", "outcome": "pending"})).await;
    let cancelled = sandbox.midtrans.cancel_snap_token(&page.token).await;
    assert!(matches!(cancelled, Err(Error::CannotUpdate(_))), "{cancelled:?}");
    let unknown = sandbox.midtrans.cancel_snap_token("no-such-token").await;
    assert!(matches!(unknown, Err(Error::NotFound(_))), "{unknown:?}");
}

#[tokio::test]
async fn order_ids_may_hold_blanks_and_colons() {
    let sandbox = Sandbox::start().await;
    let order_id = format!("{} 2024-01-01 10:00:00", order_id());
    let page = sandbox.page(&order_id, 10_000).await;
    sandbox.pay(json!({"token": page.token})).await;
    assert_eq!(sandbox.status(&order_id).await.order_id, order_id);
}
