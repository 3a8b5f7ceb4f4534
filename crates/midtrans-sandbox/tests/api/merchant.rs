//! A merchant that receives notifications, and answers as a test says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use midtrans::Notification;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::sandbox::{KEY, eventually};

#[derive(Debug, Clone)]
pub struct Received {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Received {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn status(&self) -> String {
        self.json()["transaction_status"].as_str().unwrap().to_owned()
    }

    pub fn parsed(&self) -> Notification {
        Notification::parse(&self.body).unwrap()
    }

    pub fn is_genuine(&self) -> bool {
        self.parsed().verify_signature(&KEY.into())
    }
}

#[derive(Default)]
struct Inbox {
    received: Vec<Received>,
    answers: VecDeque<(u16, Option<&'static str>)>,
}

type Shared = Arc<Mutex<Inbox>>;

pub struct Merchant {
    pub url: String,
    inbox: Shared,
    server: JoinHandle<()>,
}

impl Drop for Merchant {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Merchant {
    pub async fn start() -> Self {
        Self::listening_at("127.0.0.1:0").await
    }

    pub async fn listening_at(address: &str) -> Self {
        let inbox = Shared::default();
        let listener = TcpListener::bind(address).await.unwrap();
        let url = format!("http://{}/webhook", listener.local_addr().unwrap());
        let app = Router::new().fallback(receive).with_state(Arc::clone(&inbox));
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, inbox, server }
    }

    /// Gives these answers first, then 200.
    pub async fn answering(answers: impl IntoIterator<Item = u16>) -> Self {
        let merchant = Self::start().await;
        merchant.inbox.lock().unwrap().answers = answers.into_iter().map(|status| (status, None)).collect();
        merchant
    }

    pub fn redirect_once(&self, status: u16, to: &'static str) {
        self.inbox.lock().unwrap().answers = VecDeque::from([(status, Some(to))]);
    }

    pub fn received(&self) -> Vec<Received> {
        self.inbox.lock().unwrap().received.clone()
    }

    /// Waits until so many have arrived.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        eventually(async || Some(self.received()).filter(|received| received.len() >= count)).await
    }
}

async fn receive(State(inbox): State<Shared>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut inbox = inbox.lock().unwrap();
    inbox.received.push(Received { path: uri.path().to_owned(), headers, body });
    let (status, location) = inbox.answers.pop_front().unwrap_or((200, None));
    let status = StatusCode::from_u16(status).unwrap();
    match location {
        Some(location) => (status, [("location", location)]).into_response(),
        None => status.into_response(),
    }
}
