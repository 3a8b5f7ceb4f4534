//! A world of its own for every test: a database, a Redis server, an application whose conduct the test decides.

mod app;
mod logs;
mod metrics;
mod redis_server;

use std::{future::Future, time::Duration};

use chassis::context::{self, Trace};
use contracts::events::Event;
use messaging::{Consumer, Envelope, Fields, Meta, Outbox, Policy, Relay, outbox, relay::RelayPolicy};
use redis::aio::MultiplexedConnection;
use sqlx::{AssertSqlSafe, PgPool};
use time::OffsetDateTime;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use app::{App, Conduct, GROUP, Ping, Pong, SECOND_GROUP, Tally};
pub use logs::Logs;
pub use metrics::Metrics;
pub use redis_server::RedisServer;

const DEADLINE: Duration = Duration::from_secs(30);
const SCHEMA: &str = include_str!("../../../../../migrations/order/0001_messaging.sql");

pub struct World {
    pub redis: RedisServer,
    pub pool: PgPool,
    pub outbox: Outbox,
    pub app: App,
}

/// A relay or a consumer that a test has started.
pub struct Running {
    pub shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    pub fn start<F: Future<Output = ()> + Send + 'static>(task: impl FnOnce(CancellationToken) -> F) -> Self {
        let shutdown = CancellationToken::new();
        Self { task: tokio::spawn(task(shutdown.clone())), shutdown }
    }

    /// Lets it finish what is in hand, as SIGTERM does.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap();
    }

    /// Aborts it between two steps, as SIGKILL does.
    pub async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

/// Times that let a test come to its point.
pub fn policy() -> Policy {
    Policy {
        deadline: Duration::from_secs(5),
        claim_after: Duration::from_secs(10),
        shortest_wait: Duration::from_millis(5),
        longest_wait: Duration::from_millis(20),
        bug_tries: 3,
        bug_for: Duration::from_millis(20),
        ..Policy::default()
    }
}

/// See [`policy`]. Nothing is trimmed under the eyes of a test that looks at what was sent.
pub fn relay_policy() -> RelayPolicy {
    RelayPolicy {
        poll: Duration::from_millis(20),
        check: Duration::from_millis(20),
        maintenance: Duration::from_hours(1),
        ..RelayPolicy::default()
    }
}

impl World {
    pub async fn new() -> Self {
        let (redis, pool) = (RedisServer::start().await, database().await);
        let outbox = Outbox::default();
        Self { redis, app: App::new(), pool, outbox }
    }

    pub fn relay(&self) -> Running {
        self.relay_with(relay_policy())
    }

    pub fn relay_with(&self, policy: RelayPolicy) -> Running {
        self.relay_by(self.pool.clone(), self.redis.client(), policy)
    }

    /// A relay that reaches its servers in ways of its own.
    pub fn relay_by(&self, pool: PgPool, redis: redis::Client, policy: RelayPolicy) -> Running {
        let streams = &[Ping::STREAM, Pong::STREAM, Tally::STREAM];
        let relay = Relay::new("tester", pool, redis, self.outbox.clone(), streams).unwrap();
        Running::start(|shutdown| relay.policy(policy).run(shutdown))
    }

    pub fn consumer(&self) -> Running {
        self.consumer_with(policy())
    }

    pub fn consumer_with(&self, policy: Policy) -> Running {
        self.consumer_of(self.app.clone(), policy)
    }

    pub fn consumer_of(&self, app: App, policy: Policy) -> Running {
        let consumer = self.routes_of(app).policy(policy);
        Running::start(|shutdown| consumer.run(self.redis.client(), shutdown))
    }

    pub fn routes(&self) -> Consumer<App> {
        self.routes_of(self.app.clone())
    }

    fn routes_of(&self, app: App) -> Consumer<App> {
        Consumer::new(GROUP, app, self.pool.clone(), self.outbox.clone()).on::<Ping>().on::<Tally>()
    }

    /// Publishes the way a service does.
    pub async fn publish<E: Event>(&self, events: impl IntoIterator<Item = E>) {
        let mut tx = self.pool.begin().await.unwrap();
        for event in events {
            outbox::append(&mut tx, event).await.unwrap();
        }
        self.outbox.commit(tx).await.unwrap();
    }

    /// Adds an entry past the outbox, with an id that Redis chooses.
    pub async fn add<E: Event>(&self, event: E) -> Fields {
        let fields = fields(event);
        self.add_raw(E::STREAM.name, "*", &fields).await;
        fields
    }

    pub async fn add_raw(&self, stream: &str, id: &str, fields: &Fields) -> String {
        let mut redis = self.redis.connect().await;
        redis::cmd("XADD").arg(stream).arg(id).arg(fields).query_async(&mut redis).await.unwrap()
    }

    /// The numbers of the events that had their effects, in order.
    pub async fn effects(&self) -> Vec<i64> {
        let rows = sqlx::query_scalar("select n from effects order by n");
        rows.fetch_all(&self.pool).await.unwrap()
    }

    pub async fn wait_for_effects(&self, expected: impl IntoIterator<Item = i64>) {
        let expected: Vec<i64> = expected.into_iter().collect();
        eventually("the effects", async || self.effects().await == expected).await;
    }

    pub async fn unpublished(&self) -> i64 {
        let rows = sqlx::query_scalar("select count(*) from messaging.outbox where published_at is null");
        rows.fetch_one(&self.pool).await.unwrap()
    }

    pub async fn wait_until_published(&self) {
        eventually("an empty outbox", async || self.unpublished().await == 0).await;
    }

    pub async fn wait_until_acknowledged(&self, stream: &str) {
        eventually("nothing pending", async || self.redis.pending(stream).await == 0).await;
    }
}

/// An entry with common members of its own.
pub fn fields<E: Event>(event: E) -> Fields {
    let Trace { correlation_id, traceparent } = context::current();
    let (event_id, occurred_at) = (Uuid::now_v7(), OffsetDateTime::now_utc());
    let meta = Meta { event_id, occurred_at, correlation_id, traceparent };
    Envelope { meta, event }.to_fields().unwrap()
}

pub async fn eventually(what: &str, condition: impl AsyncFn() -> bool) {
    let holds = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(DEADLINE, holds).await.is_ok(), "waited in vain for {what}");
}

/// Gives the database another name, as whoever restores a copy does, and cuts every session.
pub async fn rename_database(from: &str, to: &str) {
    let server = server();
    let admin = PgPool::connect(&server).await.unwrap();
    for statement in [
        format!("alter database {from} allow_connections false"),
        format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{from}'"),
        format!("alter database {from} rename to {to}"),
        format!("alter database {to} allow_connections true"),
    ] {
        sqlx::query(AssertSqlSafe(statement)).execute(&admin).await.unwrap();
    }
    admin.close().await;
}

fn server() -> String {
    std::env::var("TEST_POSTGRES_URL").expect("TEST_POSTGRES_URL: run `stack databases -- ..`")
}

/// A database of the test's own, on the server that `TEST_POSTGRES_URL` names.
async fn database() -> PgPool {
    let server = server();
    let admin = PgPool::connect(&server).await.unwrap();
    let name = format!("messaging_{}", Uuid::now_v7().simple());
    sqlx::query(AssertSqlSafe(format!("create database {name}"))).execute(&admin).await.unwrap();
    admin.close().await;
    let options = server.parse::<sqlx::postgres::PgConnectOptions>().unwrap().database(&name);
    let pool = PgPool::connect_with(options).await.unwrap();
    sqlx::raw_sql(SCHEMA).execute(&pool).await.unwrap();
    sqlx::raw_sql("create table effects (n bigint not null)").execute(&pool).await.unwrap();
    pool
}

/// Reads as another consumer of the group would, and leaves the entries pending with it.
pub async fn read_as(redis: &mut MultiplexedConnection, consumer: &str, stream: &str, count: usize) {
    let mut read = redis::cmd("XREADGROUP");
    read.arg("GROUP").arg(GROUP).arg(consumer).arg("COUNT").arg(count).arg("STREAMS").arg(stream).arg(">");
    let entries: redis::Value = read.query_async(redis).await.unwrap();
    assert_ne!(entries, redis::Value::Nil, "there was something to read");
}
