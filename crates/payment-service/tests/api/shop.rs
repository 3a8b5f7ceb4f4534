//! A payment-service with a Midtrans and an order-service, as the tests use it.

use std::sync::{Arc, Mutex};

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use chassis::group_commit::GroupCommit;
use chassis::grpc::PeerChannel;
use contracts::{
    DeliveryId, OrderId, ProductId, UserId,
    events::{CancelCause, DeliveryFailed, Event, Item, OrderCancelled, OrderCreated},
    grpc::payment::{
        CancelOutcome, CancelPaymentRequest, GetPaymentRequest, GetPaymentResponse,
        payment_service_client::PaymentServiceClient,
    },
};
use jobs::{Job, Worker};
use messaging::{Consumer, Delivered};
use payment_service::{
    AppState, PaymentService,
    app::{HandleNotification, MakeRefund, PollPayment, VoidAttempt},
    consumers,
};
use serde_json::{Value, json};
use sqlx::PgPool;
use tempfile::TempDir;
use testkit::{TestService, eventually};
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What the orders of these tests cost, unless a test says otherwise.
pub const PRICE: i64 = 150_000;
pub const ANI: i64 = 7;

/// payment-service on a database of its own, with a Midtrans sandbox and a fake of order-service.
pub struct Shop {
    pub app: TestService<PaymentService>,
    midtrans: String,
    http: reqwest::Client,
    stop: CancellationToken,
    order_status: Arc<Mutex<&'static str>>,
    _state: TempDir,
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub fn order(id: i64) -> OrderId {
    OrderId::try_from(id).unwrap()
}

fn items() -> Vec<Item> {
    vec![Item { product_id: ProductId::try_from(3_i64).unwrap(), quantity: 2 }]
}

pub fn created(id: i64, total_amount: i64) -> OrderCreated {
    let (user_id, created_at) = (UserId::try_from(ANI).unwrap(), OffsetDateTime::now_utc());
    OrderCreated { order_id: order(id), user_id, total_amount, items: items(), created_at }
}

pub fn cancelled(id: i64, cause: CancelCause) -> OrderCancelled {
    OrderCancelled {
        order_id: order(id),
        user_id: UserId::try_from(ANI).unwrap(),
        total_amount: None,
        items: items(),
        cause,
    }
}

pub fn undelivered(id: i64) -> DeliveryFailed {
    DeliveryFailed {
        order_id: order(id),
        user_id: None,
        delivery_id: DeliveryId::try_from(1_i64).unwrap(),
        note: None,
    }
}

#[allow(clippy::disallowed_methods, reason = "a server of the test, which ends with it")]
fn in_background(work: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(work);
}

/// Serves a router on a free port until the token is cancelled.
pub async fn serve(router: Router, stop: &CancellationToken) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
    in_background(async move { server.await.unwrap() });
    base
}

/// An order-service that knows one thing: where every order stands.
fn orders(status: Arc<Mutex<&'static str>>) -> Router {
    let show = async |State(status): State<Arc<Mutex<&'static str>>>| {
        let status = *status.lock().unwrap();
        let code = if status == "UNKNOWN" { StatusCode::NOT_FOUND } else { StatusCode::OK };
        (code, Json(json!({ "id": 41, "status": status })))
    };
    Router::new().route("/api/v1/order/{id}", get(show)).with_state(status)
}

impl Shop {
    pub async fn start() -> Self {
        Self::with_flags(&[]).await
    }

    pub async fn with_flags(flags: &[&str]) -> Self {
        let (stop, state) = (CancellationToken::new(), tempfile::tempdir().unwrap());
        let order_status = Arc::new(Mutex::new("SHIPPED"));
        let orders = format!("--order-url={}", serve(orders(order_status.clone()), &stop).await);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let midtrans = format!("http://{}/midtrans", listener.local_addr().unwrap());
        let local = format!("--midtrans-local-url={midtrans}");
        let name = |flag: &str| flag.split('=').next().map(str::to_owned);
        let given = |own: &&str| flags.iter().any(|flag| name(flag) == name(own));
        let own = [local.as_str(), &orders].into_iter().filter(|own| !given(own));
        let all: Vec<&str> = own.chain(flags.iter().copied()).collect();
        let app = TestService::<PaymentService>::with_flags(&all).await;
        let config = midtrans_sandbox::Config {
            http_addr: listener.local_addr().unwrap(),
            midtrans_environment: "local".to_owned(),
            midtrans_server_key: "SB-Mid-server-local".into(),
            public_url: "http://localhost:8080".to_owned(),
            sandbox_state_file: state.path().join("midtrans.json"),
            sandbox_notification_url: format!("{}/api/v1/payment/webhook", app.base()),
            sandbox_speedup: 1_000,
        };
        let ended = stop.clone().cancelled_owned();
        in_background(async move { midtrans_sandbox::run(listener, config, ended).await.unwrap() });
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { app, midtrans, http, stop, order_status, _state: state }
    }

    pub fn core(&self) -> &AppState {
        self.app.app()
    }

    pub fn pool(&self) -> &PgPool {
        self.app.pool()
    }

    pub fn consumer(&self) -> Consumer<AppState> {
        consumers::consumer(self.core())
    }

    /// Gives an event, which must have its effect.
    pub async fn deliver<E: Event>(&self, event: E) {
        let delivered = testkit::deliver(&self.consumer(), event).await;
        assert!(matches!(delivered, Delivered::Applied), "{delivered:?}");
    }

    /// What order-service says of every order from now on.
    pub fn orders_are(&self, status: &'static str) {
        *self.order_status.lock().unwrap() = status;
    }

    pub fn grpc(&self) -> PaymentServiceClient<PeerChannel> {
        PaymentServiceClient::new(self.app.grpc_channel())
    }

    pub async fn ask_link(&self, id: i64, amount: i64) -> Result<GetPaymentResponse, tonic::Status> {
        self.ask_link_for(id, amount, 0).await
    }

    /// Asks for a page that ends after some seconds.
    pub async fn ask_link_for(
        &self,
        id: i64,
        amount: i64,
        expires_in_seconds: u32,
    ) -> Result<GetPaymentResponse, tonic::Status> {
        let (order_id, amount) = (order(id).to_u64(), amount.unsigned_abs());
        let request = GetPaymentRequest { order_id, amount, user_id: 7, expires_in_seconds };
        self.grpc().get_payment_url(request).await.map(tonic::Response::into_inner)
    }

    pub async fn cancel(&self, id: i64) -> CancelOutcome {
        let request = CancelPaymentRequest { order_id: order(id).to_u64(), user_id: 0 };
        self.grpc().cancel_payment(request).await.unwrap().into_inner().outcome()
    }

    /// An order with a page to pay on; returns the page's token.
    pub async fn page(&self, id: i64) -> String {
        self.deliver(created(id, PRICE)).await;
        let link = self.ask_link(id, PRICE).await.unwrap();
        link.payment_url.rsplit('/').next().unwrap().to_owned()
    }

    /// What the customer does on a page, of which Midtrans' notification is lost unless the options says otherwise.
    pub async fn pay(&self, token: &str, options: Value) -> Value {
        let mut body = json!({ "token": token, "notify": { "drop": true } });
        for (member, value) in options.as_object().unwrap() {
            body[member] = value.clone();
        }
        self.control("POST", "pay", body).await
    }

    /// What the bank, the merchant or a fault does.
    pub async fn control(&self, method: &str, path: &str, body: Value) -> Value {
        let url = format!("{}/sandbox/{path}", self.midtrans);
        let response = self.http.request(method.parse().unwrap(), url).json(&body).send().await.unwrap();
        let (status, body) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// What Midtrans knows of a page, order or transaction.
    pub async fn at_midtrans(&self, id: &str) -> Value {
        self.control("GET", &format!("transactions/{id}"), Value::Null).await
    }

    /// Runs the jobs of a kind that are due, and returns how many there were.
    pub async fn run_due<J: Job<State = AppState>>(&self) -> usize {
        // As on a replica of its own.
        let state = AppState { settlements: GroupCommit::default(), ..self.core().clone() };
        Worker::new(state.db.clone(), state.jobs.clone(), state.clone()).with::<J>().run_due().await
    }

    /// Runs all jobs of a kind that wait: their time is brought forward.
    async fn run_waiting<J: Job<State = AppState>>(&self) {
        let due = sqlx::query("update jobs.queue set run_at = now() where kind = $1").bind(J::KIND);
        due.execute(self.pool()).await.unwrap();
        self.run_due::<J>().await;
    }

    /// Waits until so many connections wait for a row that somebody else has locked.
    pub async fn until_blocked(&self, connections: i64) {
        let blocked = "select count(*) from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'";
        eventually("it waits for a lock", async || (self.count(blocked).await >= connections).then_some(()))
            .await;
    }

    /// Everything that is watched is polled.
    pub async fn poll(&self) {
        self.run_waiting::<PollPayment>().await;
    }

    /// The time of every open page is over.
    pub async fn run_out_of_time(&self) {
        self.sql("update payments set expires_at = now() - interval '1 second'").await;
        self.poll().await;
    }

    /// The voids that are enqueued are made.
    pub async fn make_voids(&self) {
        self.run_waiting::<VoidAttempt>().await;
    }

    /// The refunds that are enqueued are made.
    pub async fn make_refunds(&self) {
        self.run_waiting::<MakeRefund>().await;
    }

    /// The notifications that are stored are handled, once there are that many in all.
    pub async fn handle_notifications(&self, stored: i64) {
        eventually("the notifications are stored", async || {
            (self.count("select count(*) from notifications").await >= stored).then_some(())
        })
        .await;
        self.run_waiting::<HandleNotification>().await;
    }

    /// Has the notifications handled that are not, or not once more: those that a test wrote have no job yet.
    pub async fn enqueue_notifications(&self) {
        self.sql("insert into jobs.queue (kind, key) select 'notification', id::text from notifications on conflict do nothing")
            .await;
    }

    /// An order that was paid, by the means of the options, as far as it is known here.
    pub async fn paid(&self, id: i64, options: Value) -> String {
        let token = self.page(id).await;
        self.pay(&token, options).await;
        self.poll().await;
        assert_eq!(self.status(id).await, "SUCCESS");
        token
    }

    /// A payment, as an administrator sees it.
    pub async fn payment(&self, id: i64) -> Value {
        self.app.admin().get(&format!("/api/v1/payment/{id}")).await.expect(200)
    }

    /// Where a payment stands, without anybody being asked.
    pub async fn status(&self, id: i64) -> String {
        let status = sqlx::query_scalar("select status from payments where order_id = $1").bind(id);
        status.fetch_one(self.pool()).await.unwrap()
    }

    /// The states that a payment went through.
    pub async fn history(&self, id: i64) -> Vec<String> {
        let states =
            sqlx::query_scalar("select to_status from payment_history where order_id = $1 order by id")
                .bind(id);
        states.fetch_all(self.pool()).await.unwrap()
    }

    pub async fn sql(&self, statement: &'static str) {
        sqlx::query(statement).execute(self.pool()).await.unwrap();
    }

    pub async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(self.pool()).await.unwrap()
    }

    /// A refund that somebody makes on Midtrans' dashboard.
    pub async fn refund_at_midtrans(&self, id: &str, amount: i64) {
        let url = format!("{}/v2/{id}/refund", self.midtrans);
        let request = self.http.post(url).basic_auth("SB-Mid-server-local", Some(""));
        let response =
            request.json(&json!({ "amount": amount, "reason": "on the dashboard" })).send().await.unwrap();
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["status_code"], "200", "{body}");
    }

    /// A payment that somebody cancels on Midtrans' dashboard.
    pub async fn cancel_at_midtrans(&self, id: &str) {
        let url = format!("{}/v2/{id}/cancel", self.midtrans);
        let response = self.http.post(url).basic_auth("SB-Mid-server-local", Some("")).send().await.unwrap();
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["status_code"], "200", "{body}");
    }

    pub async fn inject_faults(&self, faults: Value) {
        self.control("PUT", "faults", faults).await;
    }

    pub async fn refund(&self, id: i64, body: Value) -> testkit::Reply {
        self.app.admin().post(&format!("/api/v1/payment/{id}/refund"), body).await
    }
}
