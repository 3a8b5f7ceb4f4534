//! Every event makes the right mail, in both languages.

use contracts::{
    DeliveryId,
    events::{
        CancelCause, DeliveryFailed, DeliveryShipped, DeliverySuccess, OrderCancelled, PaymentRefunded,
        RefundCause, StockReserved,
    },
};
use serde_json::json;

use super::{
    TestApp, created, paid,
    world::{order, user},
};

fn delivery() -> DeliveryId {
    DeliveryId::try_from(9_i64).unwrap()
}

fn cancelled(order_id: i64, user_id: i64, cause: CancelCause) -> OrderCancelled {
    OrderCancelled {
        order_id: order(order_id),
        user_id: user(user_id),
        total_amount: Some(190_000),
        items: vec![],
        cause,
    }
}

fn refunded(user_id: i64, amount: i64, refunded_total: i64, full: bool) -> PaymentRefunded {
    PaymentRefunded {
        order_id: order(41),
        user_id: Some(user(user_id)),
        total_amount: Some(190_000),
        cause: RefundCause::Admin,
        amount,
        refunded_total,
        full,
    }
}

/// Everything that can happen to orders 41 and 42 of a user.
async fn everything(app: &TestApp, who: i64) {
    let (order_id, user_id, delivery_id) = (order(41), Some(user(who)), delivery());
    app.on(created(41, who)).await;
    app.on(StockReserved { order_id, user_id }).await;
    app.on(paid(41, who)).await;
    let tracking_number = Some("JNE-0012345678".to_owned());
    app.on(DeliveryShipped { order_id, user_id, delivery_id, tracking_number }).await;
    app.on(DeliverySuccess { order_id, user_id, delivery_id }).await;
    app.on(DeliveryFailed { order_id, user_id, delivery_id, note: Some("a secret note".to_owned()) }).await;
    app.on(refunded(who, 50_000, 50_000, false)).await;
    app.on(refunded(who, 140_000, 190_000, true)).await;
    app.on(cancelled(42, who, CancelCause::Customer)).await;
    app.on(cancelled(43, who, CancelCause::Stock)).await;
}

#[tokio::test]
async fn every_event_makes_its_mail_in_english() {
    let app = TestApp::start().await;
    everything(&app, 7).await;
    let expected = [
        ("We have received your order 41", "of 2 items, Rp 190.000 in all"),
        ("Your order 41 can be paid", "Please pay Rp 190.000 on the payment page"),
        ("We have received your payment for order 41", "your payment of Rp 190.000"),
        ("Your order 41 is on its way", "Tracking number: JNE-0012345678"),
        ("Your order 41 has arrived", "have been delivered"),
        ("Your order 41 could not be delivered", "Your money will be refunded"),
        ("Refund for order 41: Rp 50.000", "Refunded so far: Rp 50.000."),
        ("Refund for order 41: Rp 140.000", "Everything that was paid"),
        ("Your order 42 is cancelled", "as you asked"),
        ("Your order 43 could not be completed", "no longer available"),
    ];
    expect(&app, "ani", "en", &expected);
}

#[tokio::test]
async fn every_event_makes_its_mail_in_indonesian() {
    let app = TestApp::start().await;
    let chosen = json!({ "language": "id", "email": true, "webhook": true });
    app.customer(8).put("/api/v1/notification/preferences", chosen).await.expect(200);
    everything(&app, 8).await;
    let expected = [
        ("Pesanan 41 sudah kami terima", "berisi 2 barang, total Rp 190.000"),
        ("Pesanan 41 siap dibayar", "Silakan bayar Rp 190.000"),
        ("Pembayaran pesanan 41 sudah kami terima", "sebesar Rp 190.000"),
        ("Pesanan 41 sedang dikirim", "Nomor resi: JNE-0012345678"),
        ("Pesanan 41 sudah sampai", "sudah diterima"),
        ("Pesanan 41 tidak dapat diantar", "Uang Anda akan dikembalikan"),
        ("Pengembalian dana pesanan 41: Rp 50.000", "Total yang sudah dikembalikan: Rp 50.000."),
        ("Pengembalian dana pesanan 41: Rp 140.000", "Seluruh pembayaran"),
        ("Pesanan 42 dibatalkan", "sesuai permintaan Anda"),
        ("Pesanan 43 tidak dapat diselesaikan", "sudah tidak tersedia"),
    ];
    expect(&app, "budi", "id", &expected);
}

fn expect(app: &TestApp, name: &str, language: &str, expected: &[(&str, &str)]) {
    let mails = app.mails();
    let subjects: Vec<&str> = mails.iter().map(|mail| mail.subject.as_str()).collect();
    assert_eq!(subjects, expected.iter().map(|(subject, _)| *subject).collect::<Vec<_>>());
    for (mail, (_, words)) in mails.iter().zip(expected) {
        assert!(mail.text.contains(words), "{words}: {}", mail.text);
        assert!(mail.text.contains(name) && !mail.text.contains("secret note"), "{}", mail.text);
        let html = mail.html.as_deref().unwrap_or_default();
        assert!(html.contains(words) && html.contains("<h1"), "{words}: {html}");
        assert_eq!((&mail.to, mail.copies), (&vec![format!("{name}@example.com")], 1));
        assert_eq!((mail.from.as_str(), mail.language.as_deref()), ("shop@example.com", Some(language)));
        assert!(
            mail.message_id.as_deref().is_some_and(|id| id.ends_with("@example.com")),
            "{:?}",
            mail.message_id
        );
    }
    let mut ids: Vec<_> = mails.iter().map(|mail| &mail.message_id).collect();
    ids.dedup();
    assert_eq!(ids.len(), expected.len(), "each has an id of its own");
}

#[tokio::test]
async fn why_an_order_ended_is_said() {
    let app = TestApp::start().await;
    let causes = [
        (CancelCause::Customer, "as you asked"),
        (CancelCause::Admin, "The shop has cancelled"),
        (CancelCause::Stock, "no longer available"),
        (CancelCause::Payment, "was not paid in time"),
        (CancelCause::Timeout, "could not complete"),
    ];
    for (order_id, (cause, _)) in (41..).zip(causes) {
        app.on(cancelled(order_id, 7, cause)).await;
    }
    let mails = app.mails();
    assert_eq!(mails.len(), causes.len());
    for (mail, (_, words)) in mails.iter().zip(causes) {
        assert!(mail.text.contains(words), "{words}: {}", mail.text);
    }
}

#[tokio::test]
async fn what_changes_nothing_for_the_buyer_makes_no_mail() {
    let app = TestApp::start().await;
    app.on(refunded(7, 0, 190_000, true)).await;
    app.on(StockReserved { order_id: order(41), user_id: None }).await;
    assert_eq!((app.mails().len(), app.listed().await.len()), (0, 0));
}

#[tokio::test]
async fn nobody_is_asked_for_money_that_is_not_owed_any_more() {
    let app = TestApp::start().await;
    app.consume(StockReserved { order_id: order(41), user_id: Some(user(7)) }).await;
    app.consume(paid(41, 7)).await;
    app.send().await;
    let subjects: Vec<String> = app.mails().iter().map(|mail| mail.subject.clone()).collect();
    assert_eq!(subjects, ["We have received your payment for order 41"]);
    let listed = app.listed().await;
    assert_eq!((&listed[0]["kind"], &listed[0]["state"]), (&json!("payment_due"), &json!("SUPPRESSED")));
    assert_eq!(listed[0]["reason"], "outdated");
}

#[tokio::test]
async fn a_mail_leads_to_the_page_of_its_order_if_there_is_one() {
    let app = TestApp::with_flags(&["--notification-order-url=https://shop.example/orders/{order_id}"]).await;
    app.on(paid(41, 7)).await;
    let mail = app.mails()[0].clone();
    assert!(mail.text.contains("https://shop.example/orders/41"), "{}", mail.text);
    assert!(mail.html.as_ref().is_some_and(|html| html.contains("<a href=\"https:")), "{:?}", mail.html);
}
