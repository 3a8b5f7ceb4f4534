//! order-service among its fake peers, and the steps that most tests begin with.

use contracts::{
    DeliveryId, OrderId,
    events::{
        DeliveryFailed, DeliveryShipped, DeliverySuccess, Event, PaymentFailed, PaymentFailure,
        PaymentRefunded, PaymentSuccess, RefundCause, StockReserved,
    },
};
use messaging::{Consumer, Delivered};
use order_service::{AppState, OrderService, consumers, domain::Status, workers};
use serde_json::Value;
use testkit::TestService;
use time::macros::datetime;

use crate::world::World;

pub const ANI: i64 = 7;
pub const TOTAL: i64 = 250_000;

pub struct Shop {
    pub app: TestService<OrderService>,
    pub world: World,
}

impl Shop {
    /// A shop with two products on sale, both of them in Ani's cart.
    pub async fn open() -> Self {
        Self::open_with(&[]).await
    }

    pub async fn open_with(flags: &[&str]) -> Self {
        let world = World::default();
        let url = testkit::serve_grpc(world.routes()).await;
        let peers = ["cart", "product", "payment", "delivery"].map(|name| format!("--{name}-grpc-url={url}"));
        let name = |flag: &str| flag.split('=').next().unwrap_or_default().to_owned();
        let given: Vec<String> = flags.iter().map(|flag| name(flag)).collect();
        let others = peers.iter().map(String::as_str).filter(|peer| !given.contains(&name(peer)));
        let all: Vec<&str> = others.chain(flags.iter().copied()).collect();
        let app = TestService::with_flags(&all).await;
        world.sell(3, "Kopi Gayo", 100_000);
        world.sell(4, "Teh Melati", 50_000);
        world.fill(ANI, &[(4, 1), (3, 2)]);
        Self { app, world }
    }

    pub fn consumer(&self) -> Consumer<AppState> {
        consumers::consumer(self.app.app())
    }

    /// Gives it an event that must be handled.
    #[track_caller]
    pub fn deliver<E: Event>(&self, event: E) -> impl Future<Output = ()> {
        let published = format!("{} about {:?}", E::TYPE, event.subject());
        let consumer = self.consumer();
        async move {
            let delivered = testkit::deliver(&consumer, event).await;
            assert!(matches!(delivered, Delivered::Applied), "{published}: {delivered:?}");
        }
    }

    /// Ani orders what is in her cart.
    pub async fn place(&self) -> OrderId {
        let reply = self.app.customer(ANI).post("/api/v1/order", serde_json::json!({})).await.expect(201);
        reply["order_id"].as_i64().unwrap().try_into().unwrap()
    }

    /// An order that came to a state as orders do.
    pub async fn order_in(&self, state: Status) -> OrderId {
        let id = self.place().await;
        match state {
            Status::Received => {}
            Status::AwaitingPayment => self.hold(id).await,
            Status::Paid => self.pay(id).await,
            Status::Shipped => {
                self.pay(id).await;
                self.deliver(shipped(id)).await;
            }
            Status::Delivered => {
                self.pay(id).await;
                self.deliver(delivered(id)).await;
            }
            Status::DeliveryFailed => {
                self.pay(id).await;
                self.deliver(undelivered(id)).await;
            }
            Status::Failed => {
                self.hold(id).await;
                self.deliver(unpaid(id)).await;
            }
            Status::Cancelled => {
                let path = format!("/api/v1/order/{id}/cancel");
                self.app.customer(ANI).post(&path, serde_json::json!({})).await.expect(200);
            }
            Status::Refunded => {
                self.pay(id).await;
                self.deliver(undelivered(id)).await;
                self.deliver(refunded(id, RefundCause::DeliveryFailed, TOTAL)).await;
            }
        }
        assert_eq!(self.order(id).await["status"], state.as_str());
        id
    }

    pub async fn hold(&self, id: OrderId) {
        self.deliver(StockReserved { order_id: id, user_id: None }).await;
    }

    pub async fn pay(&self, id: OrderId) {
        self.hold(id).await;
        self.deliver(paid(id)).await;
    }

    /// The order as an administrator sees it.
    pub async fn order(&self, id: OrderId) -> Value {
        self.app.admin().get(&format!("/api/v1/order/{id}")).await.expect(200)
    }

    pub async fn status(&self, id: OrderId) -> String {
        self.order(id).await["status"].as_str().unwrap().to_owned()
    }

    /// The timeline as `from -> to: cause`, a note as `note in state: cause`.
    pub async fn timeline(&self, id: OrderId) -> Vec<String> {
        let events = self.app.admin().get(&format!("/api/v1/order/{id}/events")).await.expect(200);
        let text = |value: &Value| value.as_str().unwrap_or("nothing").to_owned();
        let row = |row: &Value| match (text(&row["from"]), text(&row["to"]), text(&row["cause"])) {
            (from, to, cause) if from == to => format!("note in {to}: {cause}"),
            (from, to, cause) => format!("{from} -> {to}: {cause}"),
        };
        events.as_array().unwrap().iter().map(row).collect()
    }

    /// Cancellations that wait for an answer.
    pub async fn open_cancellations(&self) -> i64 {
        sqlx::query_scalar("select count(*) from cancellations").fetch_one(self.app.pool()).await.unwrap()
    }

    /// Runs the jobs that are due. Returns how many there were.
    pub async fn run_due_jobs(&self) -> usize {
        workers::job_worker(self.app.app()).run_due().await
    }

    /// Makes the jobs of some kinds due.
    pub async fn make_due(&self, kinds: &[&str]) {
        let query = "update jobs.queue set run_at = now() where kind = any($1)";
        sqlx::query(query).bind(kinds).execute(self.app.pool()).await.unwrap();
    }

    /// Requests an answer for the cancellations that wait, as if their time had come.
    pub async fn finish_cancellations(&self) -> usize {
        self.make_due(&["close-payment", "stop-delivery"]).await;
        self.run_due_jobs().await
    }

    /// Lets the database's clock have moved on for an order's reconciliation.
    pub async fn age(&self, id: OrderId, seconds: i64) {
        sqlx::query(
            "update jobs.queue set run_at = run_at - $2 * interval '1 second'
            where key = $1 and kind in ('reconcile-received', 'time-out', 'reconcile-unpaid', 'reconcile-paid')",
        )
        .bind(id.to_string())
        .bind(seconds)
        .execute(self.app.pool())
        .await
        .unwrap();
    }
}

pub fn delivery() -> DeliveryId {
    DeliveryId::try_from(9_i64).unwrap()
}

pub fn paid(order_id: OrderId) -> PaymentSuccess {
    let paid_at = datetime!(2026-01-02 03:04:05 UTC);
    PaymentSuccess {
        order_id,
        user_id: None,
        total_amount: None,
        amount: TOTAL,
        payment_type: "qris".to_owned(),
        paid_at,
    }
}

pub fn unpaid(order_id: OrderId) -> PaymentFailed {
    PaymentFailed { order_id, user_id: None, total_amount: None, reason: PaymentFailure::Expired }
}

pub fn refunded(order_id: OrderId, cause: RefundCause, amount: i64) -> PaymentRefunded {
    PaymentRefunded {
        order_id,
        user_id: None,
        total_amount: None,
        cause,
        amount,
        refunded_total: amount,
        full: amount == TOTAL,
    }
}

pub fn shipped(order_id: OrderId) -> DeliveryShipped {
    DeliveryShipped {
        order_id,
        user_id: None,
        delivery_id: delivery(),
        tracking_number: Some("JX-1".to_owned()),
    }
}

pub fn delivered(order_id: OrderId) -> DeliverySuccess {
    DeliverySuccess { order_id, user_id: None, delivery_id: delivery() }
}

pub fn undelivered(order_id: OrderId) -> DeliveryFailed {
    DeliveryFailed {
        order_id,
        user_id: None,
        delivery_id: delivery(),
        note: Some("nobody at home".to_owned()),
    }
}
