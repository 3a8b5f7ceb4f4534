//! A mail server on bad days.

use mailbox::InjectedFaults;

use super::{TestApp, paid};

fn faults() -> InjectedFaults {
    InjectedFaults::default()
}

/// Pays an order on a bad day: nothing is sent yet, and the job waits. Returns what it waits for.
async fn waits(app: &TestApp, bad: InjectedFaults) -> String {
    app.set_faults(bad);
    app.on(paid(41, 7)).await;
    assert_eq!((app.only_state().await.0.as_str(), app.mails().len()), ("PENDING", 0));
    let (error, dead) = app.only_job().await;
    assert!(!dead);
    error.unwrap()
}

/// The day gets better, and the mail is sent once.
async fn recovers(app: &TestApp) {
    app.set_faults(faults());
    app.send_again().await;
    assert_eq!(app.only_state().await.0, "SENT");
    assert_eq!((app.mails().len(), app.mails()[0].copies), (1, 1));
}

#[tokio::test]
async fn one_that_is_down_is_waited_for() {
    let app = TestApp::start().await;
    waits(&app, InjectedFaults { down: true, ..faults() }).await;
    recovers(&app).await;
}

#[tokio::test]
async fn one_that_is_slow_is_given_up_for_now() {
    let app = TestApp::start().await;
    waits(&app, InjectedFaults { latency_ms: 60_000, ..faults() }).await;
    recovers(&app).await;
}

#[tokio::test]
async fn one_that_is_greylisting_takes_it_the_next_time() {
    let app = TestApp::start().await;
    let error = waits(&app, InjectedFaults { greylist: true, ..faults() }).await;
    assert!(error.contains("451"), "{error}");
    app.send_again().await;
    assert_eq!((app.only_state().await.0.as_str(), app.mails().len()), ("SENT", 1));
}

#[tokio::test]
async fn one_that_refuses_for_now_is_tried_again() {
    let app = TestApp::start().await;
    let error = waits(&app, InjectedFaults { refuse_data: Some(452), ..faults() }).await;
    assert!(error.contains("452"), "{error}");
    recovers(&app).await;
}

#[tokio::test]
async fn a_login_that_is_refused_says_nothing_of_the_mail() {
    let app = TestApp::start().await;
    let error = waits(&app, InjectedFaults { refuse_recipient: Some(530), ..faults() }).await;
    assert!(error.contains("530"), "{error}");
    recovers(&app).await;
}

#[tokio::test]
async fn one_that_refuses_for_good_makes_it_bounce_and_an_administrator_may_try_again() {
    let app = TestApp::start().await;
    app.set_faults(InjectedFaults { refuse_recipient: Some(550), ..faults() });
    app.on(paid(41, 7)).await;
    assert_eq!(app.only_state().await, ("BOUNCED".to_owned(), Some("refused_550".to_owned())));
    assert_eq!(app.send_again().await, 0, "it is not tried again by itself");
    app.set_faults(faults());
    let id = app.listed().await[0]["id"].clone();
    let path = format!("/api/v1/notification/{id}/retry");
    let retried = app.admin().post(&path, serde_json::json!({})).await.expect(200);
    assert_eq!((&retried["state"], &retried["reason"]), (&"PENDING".into(), &serde_json::Value::Null));
    app.send().await;
    assert_eq!((app.only_state().await.0.as_str(), app.mails().len()), ("SENT", 1));
    app.admin().post(&path, serde_json::json!({})).await.problem(409, "not_retriable");
}

#[tokio::test]
async fn what_is_not_taken_for_days_is_given_up_until_somebody_retries_it() {
    let app = TestApp::start().await;
    waits(&app, InjectedFaults { down: true, ..faults() }).await;
    let age = "update notifications set due_since = now() - interval '5 days 1 minute'";
    sqlx::query(age).execute(app.pool()).await.unwrap();
    app.send_again().await;
    assert_eq!(app.only_state().await, ("DEAD".to_owned(), Some("given_up".to_owned())));
    let (error, dead) = app.only_job().await;
    assert!(dead && error.as_deref().is_some_and(|error| error.contains("/retry")), "{error:?}");

    app.set_faults(faults());
    let id = app.listed().await[0]["id"].clone();
    app.admin().post(&format!("/api/v1/notification/{id}/retry"), serde_json::json!({})).await.expect(200);
    app.send().await;
    assert_eq!((app.only_state().await.0.as_str(), app.mails().len()), ("SENT", 1));
    let left: i64 =
        sqlx::query_scalar("select count(*) from jobs.queue").fetch_one(app.pool()).await.unwrap();
    assert_eq!(left, 0);
}
