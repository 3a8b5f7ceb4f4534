//! `PUT /delivery/{id}/status`: an administrator moves a delivery.

use contracts::events::{DeliveryFailed, DeliveryShipped, DeliverySuccess};
use serde_json::{Value, json};
use sqlx::Executor;

use super::{TestApp, advance, grpc, history, start};

#[tokio::test]
async fn a_delivery_is_sent_and_arrives_and_each_is_published() {
    let app = TestApp::start().await;
    let (path, root) = (start(&app, 41, 7).await, app.admin());
    let body = json!({ "status": "IN_TRANSIT", "tracking_number": "JX-1", "note": "with the carrier" });
    let reply = root.put(&format!("{path}/status"), body).await.expect(200);
    assert!(reply["message"].is_string());
    assert_eq!(reply["delivery"]["status"], "IN_TRANSIT");
    advance(&app, &path, "DELIVERED").await;

    let delivery = app.customer(7).get(&path).await.expect(200);
    assert_eq!(delivery["tracking_number"], "JX-1", "a later change without a number leaves it");
    assert_eq!(history(&delivery), ["PENDING", "IN_TRANSIT", "DELIVERED"]);
    assert_eq!(delivery["history"][1]["note"], "with the carrier");
    assert_eq!(delivery["history"][2].get("note"), None);
    assert!(delivery["updated_at"].as_str() > delivery["created_at"].as_str());

    let (shipped, arrived) =
        (app.published::<DeliveryShipped>().await, app.published::<DeliverySuccess>().await);
    let [shipped] = &shipped[..] else { panic!("{shipped:?}") };
    assert_eq!((shipped.order_id.get(), shipped.tracking_number.as_deref()), (41, Some("JX-1")));
    assert_eq!(json!(shipped.delivery_id), delivery["id"]);
    assert_eq!(arrived.len(), 1);
    assert_eq!(app.published::<DeliveryFailed>().await, []);
}

#[tokio::test]
async fn a_failed_delivery_says_why() {
    let app = TestApp::start().await;
    let path = start(&app, 41, 7).await;
    let body = json!({ "status": "FAILED", "note": "nobody was at home" });
    app.admin().put(&format!("{path}/status"), body).await.expect(200);
    let failed = app.published::<DeliveryFailed>().await;
    assert_eq!(failed[0].note.as_deref(), Some("nobody was at home"));
    assert_eq!((failed.len(), app.published::<DeliveryShipped>().await.len()), (1, 0));
}

#[tokio::test]
async fn repeating_the_present_status_changes_and_publishes_nothing() {
    let app = TestApp::start().await;
    let path = start(&app, 41, 7).await;
    let body = json!({ "status": "IN_TRANSIT", "tracking_number": "JX-1", "note": "with the carrier" });
    let first = app.admin().put(&format!("{path}/status"), body.clone()).await.expect(200);
    for repeated in [body, json!({ "status": "IN_TRANSIT" })] {
        let again = app.admin().put(&format!("{path}/status"), repeated).await.expect(200);
        assert_eq!(first["delivery"], again["delivery"]);
    }
    assert_eq!(app.published::<DeliveryShipped>().await.len(), 1);
}

#[tokio::test]
async fn a_number_or_a_note_that_comes_with_the_present_status_is_kept_and_publishes_nothing() {
    let app = TestApp::start().await;
    let path = start(&app, 41, 7).await;
    let put = async |body: Value| app.admin().put(&format!("{path}/status"), body).await.expect(200);
    put(json!({ "status": "PENDING", "note": "packed" })).await;
    put(json!({ "status": "IN_TRANSIT", "tracking_number": "JX-1" })).await;
    put(json!({ "status": "IN_TRANSIT", "tracking_number": "JX-2" })).await;
    put(json!({ "status": "IN_TRANSIT", "note": "in Bandung" })).await;
    put(json!({ "status": "IN_TRANSIT", "tracking_number": "JX-3", "note": "other carrier" })).await;
    put(json!({ "status": "DELIVERED" })).await;
    put(json!({ "status": "DELIVERED", "note": "signed by Ani" })).await;

    let delivery = app.customer(7).get(&path).await.expect(200);
    assert_eq!((&delivery["status"], &delivery["tracking_number"]), (&json!("DELIVERED"), &json!("JX-3")));
    let rows = delivery["history"].as_array().unwrap().iter();
    let rows: Vec<_> = rows.map(|row| (row["status"].as_str().unwrap(), row["note"].as_str())).collect();
    let expected = [
        ("PENDING", None),
        ("PENDING", Some("packed")),
        ("IN_TRANSIT", None),
        ("IN_TRANSIT", None),
        ("IN_TRANSIT", Some("in Bandung")),
        ("IN_TRANSIT", Some("other carrier")),
        ("DELIVERED", None),
        ("DELIVERED", Some("signed by Ani")),
    ];
    assert_eq!(rows, expected);
    let told = app.published::<DeliveryShipped>().await;
    assert_eq!((told.len(), told[0].tracking_number.as_deref()), (1, Some("JX-1")));
    assert_eq!(app.published::<DeliverySuccess>().await.len(), 1);
}

#[tokio::test]
async fn every_illegal_change_is_a_conflict_without_effect() {
    let app = TestApp::start().await;
    let ways: [(&[&str], &[&str]); 4] = [
        (&[], &["CANCELLED"]),
        (&["IN_TRANSIT"], &["PENDING", "CANCELLED"]),
        (&["DELIVERED"], &["PENDING", "IN_TRANSIT", "FAILED", "CANCELLED"]),
        (&["FAILED"], &["PENDING", "IN_TRANSIT", "DELIVERED", "CANCELLED"]),
    ];
    for (order, (way, refused)) in (41..).zip(ways) {
        let path = start(&app, order, 7).await;
        for step in way {
            advance(&app, &path, step).await;
        }
        refuses(&app, &path, refused).await;
    }
    let path = start(&app, 50, 7).await;
    grpc::cancel(&app, 50).await;
    refuses(&app, &path, &["PENDING", "IN_TRANSIT", "DELIVERED", "FAILED"]).await;
}

async fn refuses(app: &TestApp, path: &str, statuses: &[&str]) {
    let before = app.admin().get(path).await.expect(200);
    for status in statuses {
        let reply = app.admin().put(&format!("{path}/status"), json!({ "status": status })).await;
        let problem = reply.problem(409, "illegal_change");
        assert_eq!((&problem["from"], &problem["to"]), (&before["status"], &json!(status)));
    }
    assert_eq!(app.admin().get(path).await.expect(200), before);
}

#[tokio::test]
async fn a_change_that_was_overtaken_is_judged_anew() {
    let app = TestApp::start().await;
    let path = start(&app, 41, 7).await;
    let mut rival = app.pool().begin().await.unwrap();
    rival.execute("update deliveries set status = 'FAILED' where order_id = 41").await.unwrap();
    let (root, body) = (app.admin(), json!({ "status": "DELIVERED" }));
    let late = async { root.put(&format!("{path}/status"), body).await };
    let win = async {
        testkit::eventually("the change waits for its rival", async || {
            let waiting = "select count(*) from pg_stat_activity
                           where datname = current_database() and wait_event_type = 'Lock'";
            let waiting: i64 = sqlx::query_scalar(waiting).fetch_one(app.pool()).await.unwrap();
            (waiting > 0).then_some(())
        })
        .await;
        rival.commit().await.unwrap();
    };
    let (reply, ()) = tokio::join!(late, win);
    assert_eq!(reply.problem(409, "illegal_change")["from"], "FAILED");
    assert_eq!(app.published::<DeliverySuccess>().await, []);
}

#[tokio::test]
async fn only_an_administrator_moves_deliveries() {
    let app = TestApp::start().await;
    let path = format!("{}/status", start(&app, 41, 7).await);
    let body = json!({ "status": "IN_TRANSIT" });
    app.customer(7).put(&path, body.clone()).await.problem(403, "forbidden");
    app.anyone().put(&path, body.clone()).await.problem(401, "unauthorized");
    app.admin().put("/api/v1/delivery/4294967297/status", body).await.problem(404, "not_found");
    assert_eq!(app.published::<DeliveryShipped>().await, []);
}

#[tokio::test]
async fn a_tombstone_cannot_be_moved() {
    let app = TestApp::start().await;
    grpc::cancel(&app, 41).await;
    let reply = app.admin().put("/api/v1/delivery/1/status", json!({ "status": "CANCELLED" })).await;
    reply.problem(404, "not_found");
}

#[tokio::test]
async fn bad_input_is_named_and_has_no_effect() {
    let app = TestApp::start().await;
    let path = start(&app, 41, 7).await;
    let cases: [(Value, &str); 15] = [
        (json!({}), "status"),
        (json!({ "status": "LOST" }), "status"),
        (json!({ "status": "in_transit" }), "status"),
        (json!({ "status": "" }), "status"),
        (json!({ "status": 1 }), "status"),
        (json!({ "status": null }), "status"),
        (json!({ "status": "IN_TRANSIT", "tracking_number": "x".repeat(65) }), "tracking_number"),
        (json!({ "status": "IN_TRANSIT", "tracking_number": "" }), "tracking_number"),
        (json!({ "status": "IN_TRANSIT", "tracking_number": "a\u{0}b" }), "tracking_number"),
        (
            json!({ "status": "IN_TRANSIT", "tracking_number": 9_223_372_036_854_775_808_u64 }),
            "tracking_number",
        ),
        (json!({ "status": "IN_TRANSIT", "tracking_number": "  " }), "tracking_number"),
        (json!({ "status": "IN_TRANSIT", "note": "\t\u{2003}" }), "note"),
        (json!({ "status": "IN_TRANSIT", "note": "x".repeat(256) }), "note"),
        (json!({ "status": "IN_TRANSIT", "note": ["x"] }), "note"),
        (json!({ "status": "IN_TRANSIT", "user_id": 8 }), "user_id"),
    ];
    for (body, field) in cases {
        let problem = app.admin().put(&format!("{path}/status"), body.clone()).await.problem(400, "invalid");
        assert_eq!(problem["errors"][0]["field"], field, "{body}");
    }
    let delivery = app.admin().get(&path).await.expect(200);
    assert_eq!(history(&delivery), ["PENDING"]);
}

#[tokio::test]
async fn what_is_not_json_is_refused() {
    use reqwest::Method;
    let app = TestApp::start().await;
    let path = format!("{}/status", start(&app, 41, 7).await);
    let json = [("content-type", "application/json")];
    let root = app.admin();
    root.raw(Method::PUT, &path, &json, "{\"status\":").await.problem(400, "malformed");
    root.raw(Method::PUT, &path, &json, "").await.problem(400, "malformed");
    root.raw(Method::PUT, &path, &[("content-type", "text/plain")], "{}")
        .await
        .problem(415, "unsupported_media_type");
    for id in ["0", "-1", "x", "9223372036854775808", "1%00"] {
        let reply = root.put(&format!("/api/v1/delivery/{id}/status"), json!({ "status": "FAILED" })).await;
        assert_eq!(reply.problem(400, "invalid")["errors"][0]["field"], "id", "{id}");
    }
}

#[tokio::test]
async fn the_longest_texts_are_kept_as_they_are() {
    let app = TestApp::start().await;
    let path = start(&app, 41, 7).await;
    let (number, note) = ("\u{1f4e6}".repeat(64), "\u{e9}".repeat(255));
    let body = json!({ "status": "IN_TRANSIT", "tracking_number": number, "note": note });
    let reply = app.admin().put(&format!("{path}/status"), body).await.expect(200);
    assert_eq!(reply["delivery"]["tracking_number"], number);
    assert_eq!(reply["delivery"]["history"][1]["note"], note);
}
