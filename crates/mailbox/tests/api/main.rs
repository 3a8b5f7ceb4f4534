//! The mailbox as a mail client, a person and a test see it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{MultiPart, SinglePart};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use mailbox::{InjectedFaults, Mailbox, run};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

type Client = AsyncSmtpTransport<Tokio1Executor>;

struct TestMailbox {
    mailbox: Arc<Mailbox>,
    smtp: SocketAddr,
    base: String,
    http: reqwest::Client,
    _end: DropGuard,
}

impl TestMailbox {
    async fn start() -> Self {
        let (smtp, http) = (
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
        );
        let (address, base) =
            (smtp.local_addr().unwrap(), format!("http://{}/mail", http.local_addr().unwrap()));
        let (mailbox, end) = (Arc::<Mailbox>::default(), CancellationToken::new());
        TaskTracker::new().spawn(run(mailbox.clone(), smtp, http, end.clone()));
        let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).no_proxy().build().unwrap();
        Self { mailbox, smtp: address, base, http: client, _end: end.drop_guard() }
    }

    fn client(&self) -> Client {
        let builder = Client::builder_dangerous("127.0.0.1").port(self.smtp.port());
        builder.timeout(Some(Duration::from_secs(5))).build()
    }

    async fn get(&self, path: &str) -> Value {
        self.http.get(format!("{}{path}", self.base)).send().await.unwrap().json().await.unwrap()
    }

    async fn page(&self, path: &str) -> String {
        self.http.get(format!("{}{path}", self.base)).send().await.unwrap().text().await.unwrap()
    }

    async fn set(&self, faults: Value) -> StatusCode {
        self.http.put(format!("{}/api/faults", self.base)).json(&faults).send().await.unwrap().status()
    }
}

fn mail(id: &str) -> Message {
    let builder = Message::builder()
        .from("The Shop <shop@example.com>".parse().unwrap())
        .to("Ani <ani@example.com>".parse().unwrap())
        .subject("Pembayaran diterima \u{2713}")
        .message_id(Some(format!("<{id}@example.com>")));
    let html = "<p>Hello <b>Ani</b></p><script>alert(1)</script>".to_owned();
    builder
        .multipart(MultiPart::alternative_plain_html("Hello Ani \u{2713}\n.\nbye".to_owned(), html))
        .unwrap()
}

#[tokio::test]
async fn a_mail_is_shown_as_it_was_meant() {
    let mailbox = TestMailbox::start().await;
    mailbox.client().send(mail("one")).await.unwrap();
    let all = mailbox.get("/api/messages").await;
    assert_eq!(all.as_array().unwrap().len(), 1);
    let one = &all[0];
    assert_eq!((&one["from"], &one["to"]), (&json!("shop@example.com"), &json!(["ani@example.com"])));
    assert_eq!(
        (&one["subject"], &one["message_id"]),
        (&json!("Pembayaran diterima \u{2713}"), &json!("one@example.com"))
    );
    assert_eq!(one["text"].as_str().unwrap().replace("\r\n", "\n").trim_end(), "Hello Ani \u{2713}\n.\nbye");
    assert_eq!(&mailbox.get("/api/messages/1").await, one);
    assert!(mailbox.page("/").await.contains("Pembayaran diterima"));
    assert!(mailbox.page("/messages/1").await.contains("Hello Ani"));
    let html = mailbox.http.get(format!("{}/messages/1/html", mailbox.base)).send().await.unwrap();
    let policy = html.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && policy.starts_with("sandbox"), "{policy}");
    assert!(html.text().await.unwrap().contains("<b>Ani</b>"));
}

#[tokio::test]
async fn plain_mails_have_no_html_and_lists_can_be_narrowed() {
    let mailbox = TestMailbox::start().await;
    let client = mailbox.client();
    for to in ["ani@example.com", "budi@example.com"] {
        let builder = Message::builder().from("shop@example.com".parse().unwrap()).to(to.parse().unwrap());
        let part = SinglePart::builder().header(ContentType::TEXT_PLAIN).body(format!("For {to}"));
        client.send(builder.subject(format!("To {to}")).singlepart(part).unwrap()).await.unwrap();
    }
    let of_budi = mailbox.get("/api/messages?to=BUDI@example.com").await;
    assert_eq!((of_budi.as_array().unwrap().len(), &of_budi[0]["html"]), (1, &Value::Null));
    assert_eq!(mailbox.get("/api/messages?subject=ani").await[0]["to"], json!(["ani@example.com"]));
    assert_eq!(mailbox.get("/api/messages?limit=1").await[0]["to"], json!(["budi@example.com"]));
    let cleared = mailbox.http.delete(format!("{}/api/messages", mailbox.base)).send().await.unwrap();
    assert_eq!(cleared.status(), StatusCode::NO_CONTENT);
    assert_eq!(mailbox.get("/api/messages").await, json!([]));
    let gone = mailbox.http.get(format!("{}/api/messages/1", mailbox.base)).send().await.unwrap();
    assert_eq!(gone.status(), StatusCode::NOT_FOUND);
    assert_eq!(gone.headers()["content-type"], "application/problem+json");
}

#[tokio::test]
async fn a_sender_that_lost_the_answer_sends_again_and_that_shows() {
    let mailbox = TestMailbox::start().await;
    assert_eq!(mailbox.set(json!({ "lose_answer": true })).await, StatusCode::OK);
    let lost = mailbox.client().send(mail("one")).await.unwrap_err();
    assert!(lost.status().is_none(), "the answer is not known: {lost}");
    assert_eq!(mailbox.set(json!({})).await, StatusCode::OK);
    mailbox.client().send(mail("one")).await.unwrap();
    let all = mailbox.get("/api/messages").await;
    assert_eq!((all.as_array().unwrap().len(), &all[0]["copies"]), (1, &json!(2)));
}

#[tokio::test]
async fn bad_days_are_made_to_order() {
    let mailbox = TestMailbox::start().await;
    for (faults, code) in [
        (json!({ "refuse_recipient": 550 }), 550),
        (json!({ "refuse_data": 451 }), 451),
        (json!({ "greylist": true }), 451),
    ] {
        mailbox.set(faults).await;
        let refused = mailbox.client().send(mail("one")).await.unwrap_err();
        assert_eq!(refused.status().map(u16::from), Some(code));
    }
    mailbox.client().send(mail("one")).await.expect("greylisting takes it the second time");
    mailbox.set(json!({ "down": true })).await;
    mailbox.client().send(mail("two")).await.unwrap_err();
    mailbox.mailbox.fault_injection.set(InjectedFaults::default());
    mailbox.client().send(mail("two")).await.unwrap();
    for wrong in [json!({ "refuse_data": 250 }), json!({ "latency_ms": 60_001 })] {
        assert_eq!(mailbox.set(wrong).await, StatusCode::BAD_REQUEST);
    }
    assert_eq!(mailbox.set(json!({ "dwon": true })).await, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn what_a_tunnel_carries_sees_no_mail() {
    let mailbox = TestMailbox::start().await;
    mailbox.client().send(mail("one")).await.unwrap();
    for path in ["/", "/api/messages", "/messages/1", "/messages/1/html"] {
        let request =
            mailbox.http.get(format!("{}{path}", mailbox.base)).header("x-forwarded-for", "8.8.8.8");
        assert_eq!(request.send().await.unwrap().status(), StatusCode::FORBIDDEN, "{path}");
    }
    let health = mailbox.base.replace("/mail", "/health/ready");
    assert_eq!(mailbox.http.get(health).send().await.unwrap().status(), StatusCode::OK);
}
