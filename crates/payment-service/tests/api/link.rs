//! `GetPaymentURL`: the page on which an order is paid.

use contracts::{
    events::{CancelCause, PaymentFailed},
    grpc::payment::{GetPaymentRequest, payment_service_client::PaymentServiceClient},
};
use futures::future::join_all;
use serde_json::json;
use testkit::eventually;
use tonic::Code;

use crate::shop::{ANI, PRICE, Shop, cancelled, created};

#[tokio::test]
async fn an_order_has_one_page_however_often_it_is_asked_for() {
    let shop = Shop::start().await;
    assert_eq!(
        shop.ask_link(41, PRICE).await.unwrap_err().code(),
        Code::NotFound,
        "OrderCreated has not come"
    );
    shop.deliver(created(41, PRICE)).await;
    let first = shop.ask_link(41, PRICE).await.unwrap();
    assert_eq!(first.status, "PENDING");
    let again = shop.ask_link(41, PRICE).await.unwrap();
    assert_eq!((&again.payment_url, again.expires_at), (&first.payment_url, first.expires_at));

    let token = first.payment_url.rsplit('/').next().unwrap();
    let at_midtrans = shop.at_midtrans(token).await;
    assert_eq!(at_midtrans["redirect_url"], first.payment_url);
    assert_eq!(at_midtrans["gross_amount"], "150000.00");
    assert!(at_midtrans["order_id"].as_str().unwrap().starts_with("local-41-1-"), "{at_midtrans}");
}

#[tokio::test]
async fn a_page_ends_as_soon_as_it_is_asked_to_but_never_later_than_it_may() {
    let shop = Shop::start().await;
    for (id, asked, expected) in [(41, 0, 1_800), (42, 900, 900), (43, 86_400, 1_800), (44, 1, 20)] {
        shop.deliver(created(id, PRICE)).await;
        let link = shop.ask_link_for(id, PRICE, asked).await.unwrap();
        assert!((expected - 10..=expected).contains(&link.expires_in_seconds), "{asked}: {link:?}");
        let later = shop.ask_link_for(id, PRICE, 60).await.unwrap();
        assert_eq!(later.expires_at, link.expires_at, "it was made before");
    }
}

#[tokio::test]
async fn callers_at_the_same_time_get_the_same_page() {
    let shop = Shop::start().await;
    shop.deliver(created(41, PRICE)).await;
    shop.inject_faults(json!({ "latency_ms": 100 })).await;
    let links = join_all((0..5).map(|_| shop.ask_link(41, PRICE))).await;
    let urls: Vec<_> = links.into_iter().map(|link| link.unwrap().payment_url).collect();
    assert!(urls.iter().all(|url| *url == urls[0]), "{urls:?}");
    let page = shop.at_midtrans(urls[0].rsplit('/').next().unwrap()).await;
    assert_eq!(page["page"], "open", "nobody's page was revoked by another caller");
}

#[tokio::test]
async fn a_request_that_does_not_fit_the_order_is_refused() {
    let shop = Shop::start().await;
    shop.deliver(created(41, PRICE)).await;
    let ask = async |order_id, amount, user_id| {
        let request = GetPaymentRequest { order_id, amount, user_id, expires_in_seconds: 0 };
        shop.grpc().get_payment_url(request).await.unwrap_err().code()
    };
    let (price, ani) = (PRICE.unsigned_abs(), ANI.unsigned_abs());
    for (order, amount, user) in [(41, 1, ani), (41, price, 8), (0, price, ani), (u64::MAX, price, ani)] {
        assert_eq!(ask(order, amount, user).await, Code::InvalidArgument, "{order} {amount} {user}");
    }
    assert_eq!(ask(41, 0, ani).await, Code::InvalidArgument);
    assert_eq!(ask(41, u64::MAX, ani).await, Code::InvalidArgument);
    assert_eq!(shop.count("select count(*) from payment_attempts").await, 0);
}

#[tokio::test]
async fn only_the_shop_may_ask() {
    let shop = Shop::start().await;
    let mut stranger = PaymentServiceClient::new(shop.app.grpc_channel_with("wrong"));
    let request = GetPaymentRequest { order_id: 41, amount: 1, user_id: 7, expires_in_seconds: 0 };
    assert_eq!(stranger.get_payment_url(request).await.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_closed_payment_has_no_page() {
    let shop = Shop::start().await;
    shop.deliver(created(41, PRICE)).await;
    shop.deliver(cancelled(41, CancelCause::Stock)).await;
    assert_eq!(shop.ask_link(41, PRICE).await.unwrap_err().code(), Code::FailedPrecondition);

    let token = shop.page(42).await;
    shop.pay(&token, json!({ "outcome": "expire" })).await;
    shop.poll().await;
    assert_eq!(shop.ask_link(42, PRICE).await.unwrap_err().code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn a_paid_order_still_has_the_page_it_was_paid_on() {
    let shop = Shop::start().await;
    shop.paid(41, json!({})).await;
    assert_eq!(shop.ask_link(41, PRICE).await.unwrap().status, "SUCCESS");
}

#[tokio::test]
async fn a_page_that_is_made_while_its_order_ends_is_closed_again() {
    let shop = Shop::start().await;
    shop.deliver(created(41, PRICE)).await;
    shop.inject_faults(json!({ "latency_ms": 300 })).await;
    let end = async {
        eventually("the page is being made", async || {
            (shop.count("select count(*) from payment_attempts").await == 1).then_some(())
        })
        .await;
        shop.deliver(cancelled(41, CancelCause::Customer)).await;
    };
    let (link, ()) = tokio::join!(shop.ask_link(41, PRICE), end);
    assert_eq!(link.unwrap_err().code(), Code::FailedPrecondition);
    shop.inject_faults(json!({})).await;

    let token: String =
        sqlx::query_scalar("select token from payment_attempts").fetch_one(shop.pool()).await.unwrap();
    assert_eq!(shop.at_midtrans(&token).await["page"], "open");
    shop.make_voids().await;
    assert_eq!(shop.at_midtrans(&token).await["page"], "canceled");
    assert_eq!(shop.history(41).await, ["PENDING", "CANCELLED"]);
}

#[tokio::test]
async fn a_caller_who_goes_away_does_not_lose_the_page() {
    let shop = Shop::start().await;
    shop.deliver(created(41, PRICE)).await;
    shop.inject_faults(json!({ "latency_ms": 300 })).await;
    let begun = eventually("the page is being made", async || {
        (shop.count("select count(*) from payment_attempts").await == 1).then_some(())
    });
    tokio::select! {
        _ = shop.ask_link(41, PRICE) => panic!("Midtrans takes its time"),
        () = begun => {}
    }
    eventually("the page is kept", async || {
        (shop.count("select count(*) from payment_attempts where token is not null").await == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn while_midtrans_is_away_the_caller_is_told_to_ask_again() {
    let shop = Shop::start().await;
    shop.deliver(created(41, PRICE)).await;
    shop.inject_faults(json!({ "down": true })).await;
    assert_eq!(shop.ask_link(41, PRICE).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(shop.status(41).await, "PENDING");
    shop.inject_faults(json!({})).await;
    assert_eq!(shop.ask_link(41, PRICE).await.unwrap().status, "PENDING");
    assert_eq!(shop.count("select count(*) from payment_attempts").await, 1, "the id is used again");
    assert_eq!(shop.app.published::<PaymentFailed>().await, []);
}
