//! The second channel: a signed post to the shop's own adapter.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use notification_service::clients::SigningKey;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use super::{TestApp, created, paid};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// An adapter that answers with this status, and what it was posted. Clones are the same one.
#[derive(Clone)]
struct Adapter {
    status: Arc<Mutex<StatusCode>>,
    posts: Arc<Mutex<Vec<(HeaderMap, String)>>>,
}

impl Adapter {
    async fn start() -> (Self, TestApp) {
        let adapter = Self { status: Arc::new(Mutex::new(StatusCode::NO_CONTENT)), posts: Arc::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("--notification-webhook-url=http://{}/sms", listener.local_addr().unwrap());
        let router = Router::new().route("/sms", post(Self::take)).with_state(adapter.clone());
        TaskTracker::new().spawn(axum::serve(listener, router).into_future());
        let secret = format!("--notification-webhook-secret={SECRET}");
        (adapter, TestApp::with_flags(&[&url, &secret]).await)
    }

    #[expect(clippy::unused_async, reason = "axum's handlers are async")]
    async fn take(State(adapter): State<Self>, headers: HeaderMap, body: Bytes) -> StatusCode {
        adapter.posts.lock().unwrap().push((headers, String::from_utf8(body.to_vec()).unwrap()));
        *adapter.status.lock().unwrap()
    }

    fn answers(&self, status: StatusCode) {
        *self.status.lock().unwrap() = status;
    }

    fn posts(&self) -> Vec<(HeaderMap, String)> {
        self.posts.lock().unwrap().clone()
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers[name].to_str().unwrap()
}

async fn state(app: &TestApp, channel: &str) -> Value {
    let listed = app.listed().await;
    listed.into_iter().find(|one| one["channel"] == channel).unwrap_or_default()
}

#[tokio::test]
async fn a_notification_is_posted_signed_beside_the_mail() {
    let (adapter, app) = Adapter::start().await;
    app.on(paid(41, 7)).await;
    assert_eq!(app.mails().len(), 1);
    let posts = adapter.posts();
    let [(headers, body)] = &posts[..] else { panic!("one post, not {}", posts.len()) };
    let (id, timestamp) = (header(headers, "webhook-id"), header(headers, "webhook-timestamp"));
    let expected = SigningKey::parse(&SECRET.into()).unwrap().sign(id, timestamp.parse().unwrap(), body);
    assert_eq!(header(headers, "webhook-signature"), expected);
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&body["type"], &body["order_id"]), (&json!("order.paid"), &json!(41)));
    assert_eq!(body["to"], json!({ "name": "ani", "email": "ani@example.com", "phone": "+62 811 2345 678" }));
    assert_eq!((&body["language"], &body["subject"]), (&json!("en"), &json!(app.mails()[0].subject)));
    assert!(body["text"].as_str().unwrap().contains("Rp 190.000"), "{body}");
}

#[tokio::test]
async fn a_post_is_repeated_with_the_same_id_until_it_is_taken() {
    let (adapter, app) = Adapter::start().await;
    for status in [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS, StatusCode::FOUND] {
        adapter.answers(status);
        match adapter.posts().len() {
            0 => app.on(paid(41, 7)).await,
            _ => assert_eq!(app.send_again().await, 1),
        }
        assert_eq!(state(&app, "webhook").await["state"], "PENDING", "{status}");
    }
    adapter.answers(StatusCode::OK);
    app.send_again().await;
    assert_eq!(state(&app, "webhook").await["state"], "SENT");
    let posts = adapter.posts();
    assert_eq!(posts.len(), 4);
    assert!(
        posts.iter().all(|(headers, _)| header(headers, "webhook-id") == header(&posts[0].0, "webhook-id"))
    );
    assert_eq!((app.mails().len(), app.mails()[0].copies), (1, 1), "the mail does not wait for it");
}

#[tokio::test]
async fn what_the_adapter_refuses_is_not_repeated() {
    let (adapter, app) = Adapter::start().await;
    adapter.answers(StatusCode::UNPROCESSABLE_ENTITY);
    app.on(paid(41, 7)).await;
    let refused = state(&app, "webhook").await;
    assert_eq!((&refused["state"], &refused["reason"]), (&json!("BOUNCED"), &json!("refused_422")));
    assert_eq!((app.send_again().await, adapter.posts().len()), (0, 1));
}

#[tokio::test]
async fn a_customer_can_do_without_it_whatever_it_is_about() {
    let (adapter, app) = Adapter::start().await;
    let chosen = json!({ "language": "en", "email": true, "webhook": false });
    app.customer(7).put("/api/v1/notification/preferences", chosen).await.expect(200);
    app.on(created(41, 7)).await;
    app.on(paid(41, 7)).await;
    assert_eq!((adapter.posts().len(), app.mails().len()), (0, 2));
    assert_eq!(state(&app, "webhook").await["reason"], "opted_out");
}
