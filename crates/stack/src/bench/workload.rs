//! What the systems are loaded with.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use http::Method;
use hyper::body::Bytes;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::fixtures::{Fixtures, LINES, SETUP_CONNECTIONS, parsed};
use super::load::{Burst, Call, Connection, Load, burst, once};
use super::report::Round;
use super::system::{Servers, System};
use crate::actors::page_token;
use crate::api::number;
use crate::measure::Latencies;
use crate::{Error, Result};

const IDLE: Duration = Duration::from_secs(5);
/// How often a customer who waits asks again.
const POLL: Duration = Duration::from_millis(1);

/// A kind of load, by its name on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    /// Nothing: what the servers spend on waiting, per second.
    Idle,
    /// GET /products?limit=10
    Products,
    /// GET /products/{id}
    Product,
    /// GET /cart with five lines
    Cart,
    /// POST /cart/item
    CartAdd,
    /// POST /login
    Login,
    /// Many orders at once until all can be paid, all notifications at once until all have a delivery, and the rest
    Orders,
    /// The same while Midtrans takes 100 ms for an answer
    SlowMidtrans,
    /// One order after the other until it can be paid, then one notification after the other until there is a delivery
    Sequence,
}

/// How much of it there is, whichever system is measured.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Orders that are placed at once.
    pub orders: usize,
    /// Orders that are placed one after the other.
    pub sequence: usize,
    /// Connections over which requests are sent.
    pub connections: usize,
}

impl Workload {
    /// Its name on the command line.
    pub(super) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// The requests, if it consists of requests that are independent of one another.
    pub(super) fn calls(self, fixtures: &Fixtures, connections: usize) -> Option<Arc<[Call]>> {
        Some(match self {
            Self::Products => [Call::get("/api/v1/products?limit=10")].into(),
            Self::Product => {
                fixtures.products.iter().map(|id| Call::get(format!("/api/v1/products/{id}"))).collect()
            }
            Self::Cart => fixtures
                .customers
                .iter()
                .take(connections)
                .map(|token| Call::get("/api/v1/cart").by(token))
                .collect(),
            Self::CartAdd => fixtures.adds(fixtures.customers.len(), LINES).into(),
            Self::Login => {
                fixtures.logins.iter().map(|login| Call::post("/api/v1/login", login, 200)).collect()
            }
            Self::Idle | Self::Orders | Self::SlowMidtrans | Self::Sequence => return None,
        })
    }

    /// Brings the carts into the state that it expects.
    pub(super) async fn prepare(self, system: &System) -> Result<()> {
        let lines = match self {
            Self::Cart | Self::CartAdd => LINES,
            Self::Orders | Self::SlowMidtrans | Self::Sequence => 1,
            Self::Idle | Self::Products | Self::Product | Self::Login => return Ok(()),
        };
        system.fixtures.fill_carts(&system.address, system.fixtures.customers.len(), lines).await
    }

    /// One round of what does not consist of independent requests; none if it needs servers that are not known.
    pub(super) async fn round(self, system: &mut System, size: &Size) -> Result<Vec<Round>> {
        match self {
            Self::Idle => idle(system).await.map(Vec::from_iter),
            Self::Sequence => sequence(system, size.sequence).await.map(Vec::from),
            Self::SlowMidtrans => {
                delay_midtrans(system, 100).await?;
                let rounds = at_once(system, size.orders, ", Midtrans +100 ms").await;
                delay_midtrans(system, 0).await.and(rounds)
            }
            _ => at_once(system, size.orders, "").await,
        }
    }
}

async fn idle(system: &mut System) -> Result<Option<Round>> {
    let Some(before) = system.usage().await? else { return Ok(None) };
    let began = Instant::now();
    sleep(IDLE).await;
    let load = Load { units: IDLE.as_secs(), latencies: Latencies::new(), elapsed: began.elapsed() };
    let usage = system.usage().await?.map(|now| now.since(&before));
    Ok(Some(Round { label: "idle, per second".to_owned(), load, usage }))
}

/// Runs a load, and counts what the servers spend on it until they are quiet again.
pub(super) async fn measured(
    system: &mut System,
    label: impl Into<String>,
    work: impl AsyncFnOnce(&System) -> Result<Load>,
) -> Result<Round> {
    let before = system.usage().await?;
    let load = work(system).await?;
    if let Some(servers) = &mut system.servers {
        servers.wait_until_quiet().await;
    }
    let usage = system.usage().await?.zip(before).map(|(now, before)| now.since(&before));
    Ok(Round { label: label.into(), load, usage })
}

async fn delay_midtrans(system: &System, latency_ms: u32) -> Result<()> {
    let faults = json!({"latency_ms": latency_ms});
    let set = Call::new(Method::PUT, "/midtrans/sandbox/faults", 200).with(&faults);
    Connection::open(&system.address).await?.send(&set).await.map(drop)
}

fn placing(fixtures: &Fixtures, count: usize) -> Vec<Call> {
    let buyers = fixtures.customers.iter().cycle().take(count);
    buyers.map(|token| Call::post("/api/v1/order", &json!({}), 201).by(token)).collect()
}

fn ids(answers: &[Bytes]) -> Result<Vec<i64>> {
    answers.iter().map(|answer| number(&parsed(answer)?, "/order_id")).collect()
}

/// Pays these orders at Midtrans, and returns the notifications that it would send.
async fn pay(system: &System, orders: &[i64]) -> Result<Vec<Call>> {
    let buyers = system.fixtures.customers.iter().cycle();
    let reads =
        orders.iter().zip(buyers).map(|(id, token)| Call::get(format!("/api/v1/order/{id}")).by(token));
    let pages = once(&system.address, reads.collect(), SETUP_CONNECTIONS).await?;
    let payments = pages.iter().map(|order| {
        let order = parsed(order)?;
        let how =
            json!({"token": page_token(&order)?, "payment_type": "bank_transfer", "notify": {"drop": true}});
        Ok(Call::post("/midtrans/sandbox/pay", &how, 200))
    });
    let payments = payments.collect::<Result<_>>()?;
    let paid = once(&system.address, payments, SETUP_CONNECTIONS).await?;
    paid.iter().map(|paid| Ok(notification(parsed(paid)?))).collect()
}

fn notification(mut paid: Value) -> Call {
    if let Some(members) = paid.as_object_mut() {
        // What only the local Midtrans says about a transaction.
        for own in ["token", "redirect_url", "page", "attempts", "notifications_pending"] {
            members.remove(own);
        }
    }
    Call::post("/api/v1/payment/webhook", &paid, 200)
}

async fn at_once(system: &mut System, count: usize, suffix: &str) -> Result<Vec<Round>> {
    let Some(servers) = &system.servers else { return Ok(Vec::new()) };
    let last = servers.last_order().await?;
    let calls = placing(&system.fixtures, count);
    let mut placed = Vec::new();
    let label = format!("{count} orders at once: payable{suffix}");
    let payable = measured(system, label, async |system| {
        let status = "AWAITING_PAYMENT";
        let done = async |servers: &Servers| servers.wait_status(last, status, count).await;
        burst_until(system, calls, &mut placed, done).await
    });
    let payable = payable.await?;
    let calls = pay(system, &ids(&placed)?).await?;
    let label = format!("{count} webhooks at once: deliveries{suffix}");
    let paid = measured(system, label, async |system| {
        let done = async |servers: &Servers| servers.wait_delivery(last, count).await;
        burst_until(system, calls, &mut Vec::new(), done).await
    });
    let paid = paid.await?;
    let label = format!("{count} deliveries: shipped and delivered{suffix}");
    let delivered = measured(system, label, async |system| deliver(system, last, count).await);
    Ok(vec![payable, paid, delivered.await?])
}

async fn burst_until(
    system: &System,
    calls: Vec<Call>,
    answers: &mut Vec<Bytes>,
    done: impl AsyncFnOnce(&Servers) -> Result<()>,
) -> Result<Load> {
    let units = calls.len() as u64;
    let connections = Burst::open(&system.address, calls.len()).await?;
    let began = Instant::now();
    *answers = burst(connections, calls).await?;
    if let Some(servers) = &system.servers {
        done(servers).await?;
    }
    Ok(Load { units, latencies: Latencies::new(), elapsed: began.elapsed() })
}

/// Ships and delivers all orders after this one.
async fn deliver(system: &System, last: i64, count: usize) -> Result<Load> {
    let began = Instant::now();
    if let Some(servers) = &system.servers {
        let deliveries = servers.deliveries(last).await?;
        for (status, order) in [("IN_TRANSIT", "SHIPPED"), ("DELIVERED", "DELIVERED")] {
            let put = |id: &i64| {
                let path = format!("/api/v1/delivery/{id}/status");
                let body = json!({"status": status, "tracking_number": "JNE0001234567"});
                Call::new(Method::PUT, path, 200).with(&body).by(&system.fixtures.admin)
            };
            once(&system.address, deliveries.iter().map(put).collect(), SETUP_CONNECTIONS).await?;
            servers.wait_status(last, order, count).await?;
        }
    }
    Ok(Load { units: count as u64, latencies: Latencies::new(), elapsed: began.elapsed() })
}

async fn sequence(system: &mut System, count: usize) -> Result<[Round; 2]> {
    let calls = placing(&system.fixtures, count);
    let mut orders = Vec::new();
    let placed = measured(system, "one order at a time: payable", async |system| {
        let mut connection = Connection::open(&system.address).await?;
        in_turn(calls.iter().zip(system.fixtures.customers.iter().cycle()), async |(call, token)| {
            let id = ids(&[connection.send(call).await?])?[0];
            orders.push(id);
            let read = Call::get(format!("/api/v1/order/{id}")).by(token);
            poll(&mut connection, &read, |order| order["status"] == "AWAITING_PAYMENT").await
        })
        .await
    });
    let placed = placed.await?;
    let notifications = pay(system, &orders).await?;
    let paid = measured(system, "one webhook at a time: delivery", async |system| {
        let mut connection = Connection::open(&system.address).await?;
        let buyers = orders.iter().zip(system.fixtures.customers.iter().cycle());
        in_turn(notifications.iter().zip(buyers), async |(call, (id, token))| {
            connection.send(call).await?;
            let read = Call::get(format!("/api/v1/delivery?order_id={id}")).by(token);
            poll(&mut connection, &read, |found| found.get(0).is_some()).await
        })
        .await
    });
    Ok([placed, paid.await?])
}

async fn in_turn<T>(
    items: impl Iterator<Item = T>,
    mut handle: impl AsyncFnMut(T) -> Result<()>,
) -> Result<Load> {
    let mut latencies = Latencies::new();
    let began = Instant::now();
    for item in items {
        let sent = Instant::now();
        handle(item).await?;
        latencies.record(sent.elapsed());
    }
    Ok(Load::of(latencies, began.elapsed()))
}

async fn poll(connection: &mut Connection, read: &Call, done: impl Fn(&Value) -> bool) -> Result<()> {
    let deadline = Instant::now() + crate::actors::TIMEOUT;
    while !done(&parsed(&connection.send(read).await?)?) {
        if Instant::now() > deadline {
            return Err(Error::other(format!("{} shows nothing new for too long", read.path)));
        }
        sleep(POLL).await;
    }
    Ok(())
}
