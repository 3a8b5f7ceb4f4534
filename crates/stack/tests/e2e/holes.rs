//! What `stack doctor` sees: every kind of hole is made by SQL in the databases of a shop at rest, and must be named.

mod list;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use stack::ledger::Finding;
use stack::shop::Service;

use crate::harness::Open;

/// One order for each way in which orders end or rest.
struct Orders {
    delivered: i64,
    paid: i64,
    awaiting: i64,
    refunded: i64,
    product: i64,
}

/// A change of one database, and what the doctor has to say: rules with words.
struct Hole {
    service: Service,
    sql: String,
    named: Vec<(&'static str, String)>,
}

fn hole(service: Service, sql: impl Into<String>, named: &[(&'static str, String)]) -> Hole {
    Hole { service, sql: sql.into(), named: named.to_vec() }
}

async fn buy(open: &Open) -> Orders {
    let (buyer, product) = (open.customer().await, open.product(50).await);
    let delivered = open.paid(&buyer, product).await;
    open.delivered(&buyer, delivered).await;
    let refunded = open.paid(&buyer, product).await;
    let delivery = open.shipped(&buyer, refunded).await;
    open.admin.set_delivery(delivery, "FAILED", None).await.unwrap();
    buyer.wait_for(refunded, &["REFUNDED"]).await.unwrap();
    let paid = open.paid(&buyer, product).await;
    buyer.wait_for_delivery(paid).await.unwrap();
    let (cancelled, _) = open.awaiting(&buyer, product).await;
    buyer.cancel(cancelled).await.unwrap();
    let (awaiting, _) = open.awaiting(&buyer, product).await;
    Orders { delivered, paid, awaiting, refunded, product }
}

/// The databases of a shop whose services are stopped, with a copy of each.
struct Copies<'a> {
    open: &'a Open,
}

impl Copies<'_> {
    fn name(&self, service: Service) -> &str {
        self.open.shop.settings().get(service.database().unwrap())
    }

    async fn admin(&self, sql: String) {
        let url = self.open.shop.database_url(Service::User).unwrap();
        let (server, _) = url.rsplit_once('/').unwrap();
        let mut server = PgConnection::connect(&format!("{server}/postgres")).await.unwrap();
        server.execute(AssertSqlSafe(sql)).await.unwrap();
    }

    async fn keep(&self, service: Service) {
        let name = self.name(service);
        let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        self.admin(end).await;
        self.admin(format!("CREATE DATABASE \"{name}_kept\" TEMPLATE \"{name}\"")).await;
    }

    async fn restore(&self, service: Service) {
        let name = self.name(service);
        self.admin(format!("DROP DATABASE \"{name}\" WITH (FORCE)")).await;
        self.admin(format!("CREATE DATABASE \"{name}\" TEMPLATE \"{name}_kept\"")).await;
    }

    async fn find(&self, hole: &Hole) -> Vec<Finding> {
        let url = self.open.shop.database_url(hole.service).unwrap();
        let mut database = PgConnection::connect(&url).await.unwrap();
        database.execute(AssertSqlSafe(hole.sql.clone())).await.unwrap();
        database.close().await.unwrap();
        self.open.ledger().await.check().await.unwrap()
    }
}

fn names(findings: &[Finding], rule: &str, words: &str) -> bool {
    let finding = findings.iter().find(|finding| finding.rule == rule).unwrap();
    finding.words().iter().any(|line| line.contains(words))
}

#[tokio::test]
async fn every_kind_of_hole_is_named() {
    let mut open = Open::shop().await;
    let orders = buy(&open).await;
    let findings = open.ledger().await.settled().await.unwrap();
    assert!(findings.iter().all(Finding::holds), "{findings:#?}");
    // Nobody fills the holes while they are looked at.
    for service in Service::SIX {
        open.shop.kill(service).await.unwrap();
    }
    let copies = Copies { open: &open };
    for service in [Service::Product, Service::Order, Service::Payment, Service::Delivery] {
        copies.keep(service).await;
    }
    let mut missed = Vec::new();
    for hole in list::all(&orders) {
        let findings = copies.find(&hole).await;
        for (rule, words) in &hole.named {
            if !names(&findings, rule, words) {
                let found: Vec<_> = findings.iter().map(|it| (it.rule, it.words())).collect();
                missed.push(format!("{rule} does not say {words:?} after {}: {found:#?}", hole.sql));
            }
        }
        copies.restore(hole.service).await;
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    midtrans_is_asked_about_each_payment(&open, &orders).await;
    carts_are_compared(&open).await;
    open.shop.stop().await.unwrap();
}

/// The real Midtrans has no list of everything; it is asked, as the local one can be too.
async fn midtrans_is_asked_about_each_payment(open: &Open, orders: &Orders) {
    let base = format!("{}/midtrans", open.shop.service_url(Service::Sandbox));
    let key = open.shop.settings().get("MIDTRANS_SERVER_KEY");
    let client = |key: &str| midtrans::Client::new(midtrans::Config::at(&base, key.into())).unwrap();
    let asking = open.ledger().await.asking(client(key));
    let findings = asking.check().await.unwrap();
    assert!(findings.iter().all(Finding::holds) && findings[3].remarks.is_empty(), "{findings:#?}");
    let transactions = open.api.get("/midtrans/sandbox/transactions", None).await.unwrap().body;
    let captured = transactions.as_array().unwrap().iter().find(|it| it["transaction_status"] == "capture");
    let id = captured.unwrap()["transaction_id"].as_str().unwrap();
    for event in ["settle", "chargeback"] {
        let path = format!("/midtrans/sandbox/transactions/{id}/{event}");
        open.api.post(&path, None, &serde_json::json!({})).await.unwrap().expect(200).unwrap();
    }
    let findings = asking.check().await.unwrap();
    let named = [orders.paid, orders.delivered];
    let named = named.map(|order| names(&findings, "L4", &format!("order {order} is")));
    assert!(named.contains(&true), "{findings:#?}");
    let refused = open.ledger().await.asking(client("wrong")).check().await.unwrap();
    assert!(refused[3].remarks[0].what.contains("Midtrans did not answer about"), "{refused:#?}");
}

async fn carts_are_compared(open: &Open) {
    let client = redis::Client::open(open.shop.redis_url(0)).unwrap();
    let mut carts = client.get_multiplexed_async_connection().await.unwrap();
    let () = redis::cmd("FLUSHDB").query_async(&mut carts).await.unwrap();
    let findings = open.ledger().await.check().await.unwrap();
    assert!(names(&findings, "L6", "cart-group never got event"), "{findings:#?}");
}
