//! What customers and administrators see of notifications.

use mailbox::InjectedFaults;
use serde_json::{Value, json};

use super::{TestApp, created, paid};

const PATH: &str = "/api/v1/notification";

fn orders(listed: &Value) -> Vec<i64> {
    listed.as_array().unwrap().iter().map(|one| one["order_id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn a_customer_sees_their_own_and_an_administrator_all() {
    let app = TestApp::start().await;
    app.on(paid(41, 7)).await;
    app.on(paid(42, 8)).await;
    assert_eq!(orders(&app.customer(7).get(PATH).await.expect(200)), [41]);
    assert_eq!(orders(&app.admin().get(PATH).await.expect(200)), [42, 41]);
    app.anyone().get(PATH).await.problem(401, "unauthorized");
    let one = &app.customer(7).get(PATH).await.expect(200)[0];
    assert_eq!((&one["kind"], &one["channel"]), (&json!("paid"), &json!("email")));
    assert_eq!((&one["state"], &one["user_id"]), (&json!("SENT"), &json!(7)));
    assert!(one["ended_at"].is_string() && one.get("reason").is_none(), "{one}");
}

#[tokio::test]
async fn lists_are_paged_and_filtered() {
    let app = TestApp::start().await;
    for id in 41..44 {
        app.on(created(id, 7)).await;
    }
    app.set_faults(InjectedFaults { refuse_data: Some(554), ..InjectedFaults::default() });
    app.on(paid(43, 7)).await;
    let bounced = app.admin().get(&format!("{PATH}?state=BOUNCED")).await.expect(200);
    assert_eq!((orders(&bounced), &bounced[0]["reason"]), (vec![43], &json!("refused_554")));
    assert_eq!(orders(&app.admin().get(&format!("{PATH}?order_id=43")).await.expect(200)), [43, 43]);
    let page = app.customer(7).get(&format!("{PATH}?limit=3&state=SENT&page=1")).await;
    assert_eq!((orders(&page.json()), page.header("x-total-count")), (vec![43, 42, 41], "3"));
    let page = app.customer(7).get(&format!("{PATH}?limit=2&page=2")).await;
    assert_eq!((orders(&page.json()), page.header("x-total-count")), (vec![42, 41], "4"));
    let page = app.customer(7).get(&format!("{PATH}?limit=2")).await;
    assert_eq!(page.header("link"), format!("<{PATH}?page=2&limit=2>; rel=\"next\""));
    for bad in ["page=0", "limit=101", "state=LOST", "order_id=0", "colour=red"] {
        assert_eq!(app.admin().get(&format!("{PATH}?{bad}")).await.status(), 400, "{bad}");
    }
}

#[tokio::test]
async fn only_administrators_retry_and_only_what_is_there() {
    let app = TestApp::start().await;
    app.on(paid(41, 7)).await;
    let id = app.listed().await[0]["id"].clone();
    let path = format!("{PATH}/{id}/retry");
    app.customer(7).post(&path, json!({})).await.problem(403, "forbidden");
    app.anyone().post(&path, json!({})).await.problem(401, "unauthorized");
    app.admin().post(&format!("{PATH}/999999/retry"), json!({})).await.problem(404, "not_found");
    assert_eq!(app.admin().post(&path, json!({})).await.problem(409, "not_retriable")["state"], "SENT");
    assert_eq!(app.admin().post(&format!("{PATH}/x/retry"), json!({})).await.status(), 400);
}

#[tokio::test]
async fn what_is_old_goes_but_for_what_somebody_has_to_see_to() {
    let app = TestApp::start().await;
    app.on(paid(41, 7)).await;
    app.on(paid(42, 7)).await;
    app.on(paid(43, 7)).await;
    let age = "update notifications set created_at = now() - interval '91 days' where order_id < 43";
    sqlx::query(age).execute(app.pool()).await.unwrap();
    sqlx::query("update notifications set state = 'DEAD' where order_id = 42")
        .execute(app.pool())
        .await
        .unwrap();
    assert_eq!(notification_service::app::purge(app.app()).await.unwrap(), 1);
    assert_eq!(orders(&app.admin().get(PATH).await.expect(200)), [43, 42]);
}
