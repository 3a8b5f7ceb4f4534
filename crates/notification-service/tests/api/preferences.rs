//! In which language customers are written to, and what they do without.

use contracts::events::{DeliveryShipped, PaymentRefunded, RefundCause};
use serde_json::json;

use super::{
    TestApp, created, paid,
    world::{order, user},
};

const PATH: &str = "/api/v1/notification/preferences";

#[tokio::test]
async fn a_customer_who_has_chosen_nothing_gets_everything_in_the_shops_language() {
    let app = TestApp::with_flags(&["--notification-language=id"]).await;
    let own = app.customer(7).get(PATH).await.expect(200);
    assert_eq!(own, json!({ "language": "id", "email": true, "webhook": true }));
    app.on(paid(41, 7)).await;
    assert_eq!(app.mails()[0].subject, "Pembayaran pesanan 41 sudah kami terima");
}

#[tokio::test]
async fn a_choice_is_ones_own_and_can_be_replaced() {
    let app = TestApp::start().await;
    for language in ["id", "en"] {
        let chosen = json!({ "language": language, "email": false, "webhook": false });
        assert_eq!(app.customer(7).put(PATH, chosen.clone()).await.expect(200), chosen);
        assert_eq!(app.customer(7).get(PATH).await.expect(200), chosen);
    }
    assert_eq!(app.customer(8).get(PATH).await.expect(200)["email"], true);
    app.anyone().get(PATH).await.problem(401, "unauthorized");
}

#[tokio::test]
async fn bad_input_is_named() {
    let app = TestApp::start().await;
    let ani = app.customer(7);
    let unknown = ani.put(PATH, json!({ "language": "fr", "email": true, "webhook": true })).await;
    assert_eq!(unknown.problem(400, "invalid")["errors"][0]["field"], "language");
    let missing = ani.put(PATH, json!({ "language": "en", "webhook": true })).await;
    assert_eq!(missing.status(), 400);
    let more = ani.put(PATH, json!({ "language": "en", "email": true, "webhook": true, "sms": true })).await;
    assert_eq!(more.status(), 400);
}

#[tokio::test]
async fn who_opts_out_gets_only_what_is_about_money() {
    let app = TestApp::start().await;
    let chosen = json!({ "language": "en", "email": false, "webhook": true });
    app.customer(7).put(PATH, chosen).await.expect(200);
    let (order_id, user_id) = (order(41), Some(user(7)));
    app.on(created(41, 7)).await;
    app.on(paid(41, 7)).await;
    let delivery_id = contracts::DeliveryId::try_from(9_i64).unwrap();
    app.on(DeliveryShipped { order_id, user_id, delivery_id, tracking_number: None }).await;
    let (amount, cause) = (190_000, RefundCause::Admin);
    app.on(PaymentRefunded {
        order_id,
        user_id,
        total_amount: None,
        cause,
        amount,
        refunded_total: amount,
        full: true,
    })
    .await;
    let subjects: Vec<_> = app.mails().iter().map(|mail| mail.subject.clone()).collect();
    assert_eq!(subjects, ["We have received your payment for order 41", "Refund for order 41: Rp 190.000"]);
    let states: Vec<_> = app.listed().await.iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, ["SUPPRESSED", "SENT", "SUPPRESSED", "SENT"]);
    assert_eq!(app.listed().await[0]["reason"], "opted_out");
}
