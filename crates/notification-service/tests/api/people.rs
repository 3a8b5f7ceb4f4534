//! Whom mails are for: asked of user-service for each, kept nowhere, logged nowhere.

use std::sync::atomic::Ordering;

use mailbox::InjectedFaults;
use tracing_subscriber::fmt::MakeWriter;

use super::{TestApp, paid};

#[tokio::test]
async fn mails_wait_while_user_service_is_away() {
    let app = TestApp::start().await;
    app.users.away.store(true, Ordering::Relaxed);
    app.on(paid(41, 7)).await;
    assert_eq!((app.only_state().await.0.as_str(), app.mails().len()), ("PENDING", 0));
    app.users.away.store(false, Ordering::Relaxed);
    app.send_again().await;
    assert_eq!((app.only_state().await.0.as_str(), app.mails().len()), ("SENT", 1));
}

#[tokio::test]
async fn there_is_no_mail_for_an_account_that_is_not_there() {
    let app = TestApp::start().await;
    app.on(paid(41, 999)).await;
    assert_eq!(app.only_state().await, ("SUPPRESSED".to_owned(), Some("unknown_user".to_owned())));
    assert_eq!((app.mails().len(), app.send_again().await), (0, 0));
}

/// What is logged.
#[derive(Clone, Default)]
struct Logs(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn nothing_personal_is_logged_or_kept() {
    let logs = Logs::default();
    let filter = "notification_service=trace,jobs=trace,messaging=trace,chassis=trace,lettre=trace";
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(logs.clone()).init();
    let app = TestApp::start().await;
    // The server repeats the address in what it refuses.
    for (order, faults) in (41..).zip([
        InjectedFaults::default(),
        InjectedFaults { refuse_recipient: Some(550), ..InjectedFaults::default() },
        InjectedFaults { refuse_recipient: Some(451), ..InjectedFaults::default() },
        InjectedFaults { down: true, ..InjectedFaults::default() },
    ]) {
        app.set_faults(faults);
        app.on(paid(order, 7)).await;
    }
    let logged = String::from_utf8(logs.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("notification moved from PENDING to SENT"), "{logged}");
    assert!(logged.contains("BOUNCED") && logged.contains("job failed"), "{logged}");
    let rows: Vec<String> = sqlx::query_scalar(
        "select to_jsonb(n)::text from notifications n union all select to_jsonb(q)::text from jobs.queue q",
    )
    .fetch_all(app.pool())
    .await
    .unwrap();
    for personal in ["ani", "@", "+62 811"] {
        let found = logged.lines().find(|line| line.contains(personal));
        assert!(found.is_none(), "{personal} is logged: {found:?}");
        let found = rows.iter().find(|row| row.contains(personal));
        assert!(found.is_none(), "{personal} is kept: {found:?}");
    }
}
