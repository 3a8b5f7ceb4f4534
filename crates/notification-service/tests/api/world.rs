//! A notification-service with a mailbox, and a user-service whose answers a test sets.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    ops::Deref,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use contracts::{
    OrderId, ProductId, UserId,
    events::{Event, Item, OrderCreated, OrderPaid},
    grpc::user::{
        GetAccountMailRequest, GetAccountMailResponse, GetContactRequest, GetContactResponse,
        user_service_server::{UserService, UserServiceServer},
    },
};
use mailbox::{InjectedFaults, Mail, Mailbox};
use messaging::Delivered;
use notification_service::{NotificationService, consumers, domain::Notifies, workers};
use serde_json::Value;
use testkit::TestService;
use time::macros::datetime;
use tokio::net::TcpListener;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};
use tonic::{Request, Response, Status, service::Routes};
use uuid::Uuid;

/// A user-service. Clones are the same one.
#[derive(Clone, Default)]
pub struct Users {
    /// Whether it does not answer.
    pub away: Arc<AtomicBool>,
    known: Arc<Mutex<BTreeMap<u64, GetContactResponse>>>,
    account_mails: Arc<Mutex<BTreeMap<String, GetAccountMailResponse>>>,
}

impl Users {
    fn add(&self, id: u64, name: &str, phone: &str) {
        let (name, email, phone) = (name.to_owned(), format!("{name}@example.com"), phone.to_owned());
        self.known.lock().unwrap().insert(id, GetContactResponse { name, email, phone });
    }

    /// From now on this is what an e-mail says; nothing: it is not worth sending.
    pub fn set_account_mail(&self, id: Uuid, mail: Option<GetAccountMailResponse>) {
        let mut mails = self.account_mails.lock().unwrap();
        match mail {
            Some(mail) => mails.insert(id.to_string(), mail),
            None => mails.remove(&id.to_string()),
        };
    }
}

#[tonic::async_trait]
impl UserService for Users {
    async fn get_contact(
        &self,
        request: Request<GetContactRequest>,
    ) -> Result<Response<GetContactResponse>, Status> {
        if self.away.load(Ordering::Relaxed) {
            return Err(Status::unavailable("away"));
        }
        let found = self.known.lock().unwrap().get(&request.into_inner().user_id).cloned();
        found.map(Response::new).ok_or_else(|| Status::not_found("There is no such account."))
    }

    async fn get_account_mail(
        &self,
        request: Request<GetAccountMailRequest>,
    ) -> Result<Response<GetAccountMailResponse>, Status> {
        if self.away.load(Ordering::Relaxed) {
            return Err(Status::unavailable("away"));
        }
        let found = self.account_mails.lock().unwrap().get(&request.into_inner().mail_id).cloned();
        found.map(Response::new).ok_or_else(|| Status::not_found("There is nothing to send any more."))
    }
}

pub struct TestApp {
    service: TestService<NotificationService>,
    pub mailbox: Arc<Mailbox>,
    pub users: Users,
    _end: DropGuard,
}

impl Deref for TestApp {
    type Target = TestService<NotificationService>;

    fn deref(&self) -> &Self::Target {
        &self.service
    }
}

impl TestApp {
    /// Two people are known: 7 is ani, who has a telephone, and 8 is budi.
    pub async fn start() -> Self {
        Self::with_flags(&[]).await
    }

    pub async fn with_flags(flags: &[&str]) -> Self {
        let users = Users::default();
        users.add(7, "ani", "+62 811 2345 678");
        users.add(8, "budi", "");
        let url = testkit::serve_grpc(Routes::new(UserServiceServer::new(users.clone()))).await;
        let (mailbox, smtp, end) = start_mailbox().await;
        let own = [format!("--user-grpc-url={url}"), format!("--smtp-url=smtp://{smtp}")];
        let all: Vec<&str> = own.iter().map(String::as_str).chain(flags.iter().copied()).collect();
        Self { service: TestService::with_flags(&all).await, mailbox, users, _end: end }
    }

    /// Consumes an event and sends what comes of it.
    pub async fn on<E: Notifies>(&self, event: E) {
        self.consume(event).await;
        self.send().await;
    }

    pub async fn consume<E: Notifies>(&self, event: E) {
        let delivered = testkit::deliver(&consumers::consumer(self.app()), event).await;
        assert!(matches!(delivered, Delivered::Applied), "{}: {delivered:?}", E::TYPE);
    }

    /// Runs the jobs that are due, and returns how many there were.
    pub async fn send(&self) -> usize {
        workers::worker(self.app()).run_due().await
    }

    /// Runs the jobs although their pauses are not over.
    pub async fn send_again(&self) -> usize {
        sqlx::query("update jobs.queue set run_at = now() where dead_at is null")
            .execute(self.pool())
            .await
            .unwrap();
        self.send().await
    }

    pub fn set_faults(&self, faults: InjectedFaults) {
        self.mailbox.fault_injection.set(faults);
    }

    /// The mails that have come, oldest first.
    pub fn mails(&self) -> Vec<Arc<Mail>> {
        let mut mails = self.mailbox.store.list();
        mails.reverse();
        mails
    }

    /// The notifications as an administrator sees them, oldest first.
    pub async fn listed(&self) -> Vec<Value> {
        let listed = self.admin().get("/api/v1/notification?limit=100").await.expect(200);
        listed.as_array().unwrap().iter().rev().cloned().collect()
    }

    /// Where the only notification is, and why.
    pub async fn only_state(&self) -> (String, Option<String>) {
        let listed = self.listed().await;
        assert_eq!(listed.len(), 1, "{listed:?}");
        let text = |name: &str| listed[0][name].as_str().map(str::to_owned);
        (text("state").unwrap(), text("reason"))
    }

    /// What the only job waits for, and whether it was given up.
    pub async fn only_job(&self) -> (Option<String>, bool) {
        sqlx::query_as("select error, dead_at is not null from jobs.queue")
            .fetch_one(self.pool())
            .await
            .unwrap()
    }
}

async fn start_mailbox() -> (Arc<Mailbox>, SocketAddr, DropGuard) {
    let any = "127.0.0.1:0";
    let (smtp, http) = (TcpListener::bind(any).await.unwrap(), TcpListener::bind(any).await.unwrap());
    let (mailbox, address, end) =
        (Arc::<Mailbox>::default(), smtp.local_addr().unwrap(), CancellationToken::new());
    TaskTracker::new().spawn(mailbox::run(mailbox.clone(), smtp, http, end.clone()));
    (mailbox, address, end.drop_guard())
}

pub fn order(id: i64) -> OrderId {
    OrderId::try_from(id).unwrap()
}

pub fn user(id: i64) -> UserId {
    UserId::try_from(id).unwrap()
}

fn items() -> Vec<Item> {
    vec![Item { product_id: ProductId::try_from(3_i64).unwrap(), quantity: 2 }]
}

/// An order of a user, as order-service publishes that it was received.
pub fn created(order_id: i64, user_id: i64) -> OrderCreated {
    let created_at = datetime!(2026-01-02 03:04:05 UTC);
    OrderCreated {
        order_id: order(order_id),
        user_id: user(user_id),
        total_amount: 190_000,
        items: items(),
        created_at,
    }
}

/// The same when it is paid.
pub fn paid(order_id: i64, user_id: i64) -> OrderPaid {
    OrderPaid {
        order_id: order(order_id),
        user_id: user(user_id),
        total_amount: 190_000,
        items: items(),
        ordered_at: datetime!(2026-01-02 03:04:05 UTC),
        cart_read_at: None,
        shipping_address: None,
    }
}

/// An envelope that can be consumed more than once.
pub async fn redeliver<E: Event + Notifies>(
    app: &TestApp,
    event: &contracts::events::Envelope<E>,
) -> Delivered {
    testkit::redeliver(&consumers::consumer(app.app()), event).await
}
