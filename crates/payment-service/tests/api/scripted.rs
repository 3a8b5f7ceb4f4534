//! A Midtrans that answers what a test scripts, for what the sandbox would never say.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::State,
    http::{Method, StatusCode, Uri},
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::shop::serve;

/// Answers by the last part of the path, `transactions`, `status`, `cancel` or `refund`, or by the last two:
/// `t-1/status`.
#[derive(Clone, Default)]
pub struct Scripted {
    answers: Arc<Mutex<BTreeMap<&'static str, (u16, Value)>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    /// Starts it; its base URL comes with it.
    pub async fn start() -> (Self, String) {
        let scripted = Self::default();
        let router = Router::new().fallback(answer).with_state(scripted.clone());
        let base = serve(router, &CancellationToken::new()).await;
        (scripted, base)
    }

    /// What it answers from now on.
    pub fn answers(&self, part: &'static str, status: u16, body: Value) {
        self.answers.lock().unwrap().insert(part, (status, body));
    }

    /// A page that it makes from now on.
    pub fn makes_pages(&self) {
        let page = json!({ "token": "t", "redirect_url": "https://pay.example/t" });
        self.answers("transactions", 201, page);
    }

    /// The paths it was asked for.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn answer(State(scripted): State<Scripted>, method: Method, uri: Uri) -> (StatusCode, String) {
    scripted.asked.lock().unwrap().push(format!("{method} {}", uri.path()));
    let mut parts = uri.path().rsplit('/');
    let (part, id) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let unknown = (200, json!({ "status_code": "404", "status_message": "Transaction doesn't exist." }));
    let answers = scripted.answers.lock().unwrap();
    let answer = answers.get(format!("{id}/{part}").as_str()).or_else(|| answers.get(part));
    let (status, body) = answer.cloned().unwrap_or(unknown);
    // Midtrans names the order that it is asked for.
    (StatusCode::from_u16(status).unwrap(), body.to_string().replace("THE-ORDER", id))
}
