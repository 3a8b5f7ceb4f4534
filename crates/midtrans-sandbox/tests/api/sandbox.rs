//! A sandbox of the test's own.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use midtrans::{Client, SnapPage, SnapRequest, Transaction};
use midtrans_sandbox::{Config, RunError, run};
use reqwest::{Method, StatusCode, redirect};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub const KEY: &str = "SB-Mid-server-test";

/// Far longer than anything here takes, even on a busy machine.
const DEADLINE: Duration = Duration::from_secs(20);

pub struct Sandbox {
    pub base: String,
    pub midtrans: Client,
    pub http: reqwest::Client,
    pub state_file: PathBuf,
    config: Config,
    /// Kept for as long as the sandbox runs in it.
    folder: Option<TempDir>,
    shutdown: oneshot::Sender<()>,
    task: JoinHandle<Result<(), RunError>>,
}

/// What a test may want to be different.
pub fn config(state_file: &Path) -> Config {
    Config {
        http_addr: "127.0.0.1:0".parse().unwrap(),
        midtrans_environment: "local".to_owned(),
        midtrans_server_key: KEY.into(),
        public_url: "http://shop.example".to_owned(),
        sandbox_state_file: state_file.to_owned(),
        // Nobody listens at the discard port; tests that look at notifications start a merchant.
        sandbox_notification_url: "http://127.0.0.1:9/".to_owned(),
        sandbox_speedup: 10_000,
    }
}

impl Sandbox {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub async fn notifying(url: &str) -> Self {
        Self::start_with(|config| url.clone_into(&mut config.sandbox_notification_url)).await
    }

    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(&folder.path().join("state.json"));
        change(&mut config);
        Self { folder: Some(folder), ..Self::run(config).await }
    }

    pub async fn run(config: Config) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/midtrans", listener.local_addr().unwrap());
        let (shutdown, stopped) = oneshot::channel::<()>();
        let stopped = async { stopped.await.unwrap_or_default() };
        let task = tokio::spawn(run(listener, config.clone(), stopped));
        Self {
            midtrans: client(&base, KEY),
            http: reqwest::Client::builder().redirect(redirect::Policy::none()).build().unwrap(),
            base,
            state_file: config.sandbox_state_file.clone(),
            config,
            folder: None,
            shutdown,
            task,
        }
    }

    /// Ends the process, as it were, and starts another one on the same file.
    pub async fn restart(self) -> Self {
        self.shutdown.send(()).unwrap();
        self.task.await.unwrap().unwrap();
        Self { folder: self.folder, ..Self::run(self.config).await }
    }

    pub async fn page(&self, order_id: &str, amount: i64) -> SnapPage {
        self.midtrans.create_snap(&SnapRequest::new(order_id, amount)).await.unwrap()
    }

    pub async fn status(&self, id: &str) -> Transaction {
        self.midtrans.status(id).await.unwrap()
    }

    /// A call of the control API.
    pub async fn control(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let request = self.http.request(method, format!("{}/sandbox{path}", self.base));
        let request = if body.is_null() { request } else { request.json(&body) };
        let response = request.send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    /// A call of the control API that has to work.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        let (status, reply) = self.control(Method::POST, path, body).await;
        assert_eq!(status, StatusCode::OK, "{path}: {reply}");
        reply
    }

    pub async fn pay(&self, request: Value) -> Value {
        self.post("/pay", request).await
    }

    pub async fn show(&self, id: &str) -> Value {
        let (status, reply) = self.control(Method::GET, &format!("/transactions/{id}"), Value::Null).await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        reply
    }

    /// A call of the Core API without the client, to see HTTP status and body.
    pub async fn core(&self, method: Method, path: &str, body: impl Into<String>) -> (StatusCode, Value) {
        let url = format!("{}/v2{path}", self.base);
        let request = self.http.request(method, url).header("content-type", "application/json");
        let request = request.basic_auth(KEY, Some("")).body(body.into());
        let response = request.send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }
}

pub fn client(base: &str, key: &str) -> Client {
    Client::new(midtrans::Config::at(base, key.into())).unwrap()
}

/// An order id no other test uses.
pub fn order_id() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("INV-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Asks until there is an answer.
pub async fn eventually<T, F: Future<Output = Option<T>>>(mut ask: impl FnMut() -> F) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(started.elapsed() < DEADLINE, "this did not happen in time");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
