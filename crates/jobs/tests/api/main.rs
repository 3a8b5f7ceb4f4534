//! Jobs on a real database: when they run, how often, and what is left of them.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chassis::{BoxError, Lifecycle};
use jobs::{Backoff, Job, JobId, Outcome, Queue, Worker};
use metrics_exporter_prometheus::PrometheusBuilder;
use sqlx::{AssertSqlSafe, PgPool, postgres::PgPoolOptions};
use testkit::{TestDatabase, eventually};

/// What the jobs of a test do, and what they did.
#[derive(Default)]
struct State {
    runs: AtomicUsize,
    pool: Option<PgPool>,
    queue: Queue,
}

/// A job that ends as its key says.
struct Errand;

struct Key(String);

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Key {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "unreadable" { Err("unreadable") } else { Ok(Self(text.to_owned())) }
    }
}

impl Job for Errand {
    const KIND: &'static str = "errand";
    const CONCURRENCY: u16 = 2;
    const BACKOFF: Backoff = Backoff::new(Duration::from_mins(1), Duration::from_mins(10));
    type State = Arc<State>;
    type Key = Key;

    async fn run(state: &Arc<State>, Key(key): Key) -> Result<Outcome, BoxError> {
        state.runs.fetch_add(1, Ordering::Relaxed);
        match key.as_str() {
            "fails" => Err("the other side does not answer".into()),
            "panics" => panic!("a bug"),
            "again" => Ok(Outcome::Again(Duration::from_hours(1))),
            "later" => Ok(Outcome::Later),
            "hopeless" => Ok(Outcome::Dead("it can never succeed")),
            "keeps the only connection" => {
                let mut tx = state.pool.as_ref().unwrap().begin().await?;
                state.queue.wake();
                tokio::task::yield_now().await;
                sqlx::query("select 1").execute(&mut *tx).await?;
                tx.commit().await?;
                Ok(Outcome::Done)
            }
            "claimed again meanwhile" => {
                let claim = "update jobs.queue set tries = tries + 1, run_at = now() + interval '15 seconds'";
                sqlx::query(claim).execute(state.pool.as_ref().unwrap()).await?;
                Ok(Outcome::Done)
            }
            "enqueued again meanwhile" => {
                enqueue(state.pool.as_ref().unwrap(), &key, Duration::from_hours(2)).await;
                Ok(Outcome::Done)
            }
            _ => Ok(Outcome::Done),
        }
    }
}

struct World {
    database: TestDatabase,
    state: Arc<State>,
    worker: Worker<Arc<State>>,
    queue: Queue,
}

impl World {
    async fn new() -> Self {
        let database = TestDatabase::create("jobs", &order_migrations()).await;
        let state = Arc::new(State { pool: Some(database.pool.clone()), ..State::default() });
        let queue = Queue::default();
        let worker = Worker::new(database.pool.clone(), queue.clone(), state.clone()).with::<Errand>();
        Self { database, state, worker, queue }
    }

    async fn enqueue(&self, key: &str) {
        enqueue(&self.database.pool, key, Duration::ZERO).await;
    }

    /// What is left of a job: its tries, in how many seconds it is due, whether it is dead, and its error.
    async fn row(&self, key: &str) -> Option<(i32, i64, bool, Option<String>)> {
        let sql = "select tries, extract(epoch from run_at - now())::bigint, dead_at is not null, error
                   from jobs.queue where kind = 'errand' and key = $1";
        sqlx::query_as(sql).bind(key).fetch_optional(&self.database.pool).await.unwrap()
    }

    async fn execute(&self, sql: &'static str) {
        sqlx::query(AssertSqlSafe(sql)).execute(&self.database.pool).await.unwrap();
    }

    fn runs(&self) -> usize {
        self.state.runs.load(Ordering::Relaxed)
    }
}

fn order_migrations() -> sqlx::migrate::Migrator {
    sqlx::migrate!("../../migrations/order")
}

fn id(key: &str) -> JobId {
    Errand::of(&Key(key.to_owned()))
}

async fn enqueue(pool: &PgPool, key: &str, delay: Duration) {
    let mut connection = pool.acquire().await.unwrap();
    Queue::enqueue(&mut connection, [id(key).after(delay)]).await.unwrap();
}

#[tokio::test]
async fn a_job_that_is_done_leaves_no_row() {
    let world = World::new().await;
    world.enqueue("done").await;
    assert_eq!(world.worker.run_due().await, 1);
    assert_eq!((world.runs(), world.row("done").await), (1, None));
    assert_eq!(world.worker.run_due().await, 0);
}

#[tokio::test]
async fn a_job_is_as_much_committed_as_its_transaction() {
    let world = World::new().await;
    let mut tx = world.database.pool.begin().await.unwrap();
    Queue::enqueue(&mut tx, [id("done").now()]).await.unwrap();
    assert_eq!(world.worker.run_due().await, 0);
    tx.rollback().await.unwrap();
    assert_eq!(world.worker.run_due().await, 0);
}

#[tokio::test]
async fn a_failed_job_waits_for_longer_with_each_try() {
    let world = World::new().await;
    world.enqueue("fails").await;
    world.enqueue("panics").await;
    assert_eq!(world.worker.run_due().await, 2);
    let (tries, due_in, dead, error) = world.row("fails").await.unwrap();
    assert!((tries, dead) == (1, false) && (55..=60).contains(&due_in), "{due_in}");
    assert_eq!(error.unwrap(), "the other side does not answer");
    assert_eq!(world.row("panics").await.unwrap().3.unwrap(), "it panicked");
    world.execute("update jobs.queue set run_at = now()").await;
    world.worker.run_due().await;
    let (tries, due_in, ..) = world.row("fails").await.unwrap();
    assert!(tries == 2 && (115..=120).contains(&due_in), "{due_in}");
}

#[tokio::test]
async fn a_job_decides_when_it_runs_again() {
    let world = World::new().await;
    for key in ["again", "later"] {
        world.enqueue(key).await;
        world.worker.run_due().await;
    }
    let (tries, due_in, ..) = world.row("again").await.unwrap();
    assert!(tries == 0 && (3590..=3600).contains(&due_in), "{due_in}");
    let (tries, due_in, _, error) = world.row("later").await.unwrap();
    assert!((tries, error) == (1, None) && (55..=60).contains(&due_in), "{due_in}");
}

#[tokio::test]
async fn a_job_that_can_never_succeed_waits_for_a_person() {
    let world = World::new().await;
    for key in ["hopeless", "unreadable"] {
        world.enqueue(key).await;
        world.worker.run_due().await;
        assert!(world.row(key).await.unwrap().2);
    }
    world.execute("update jobs.queue set run_at = now()").await;
    assert_eq!(world.worker.run_due().await, 0);
    world.enqueue("hopeless").await;
    assert_eq!(world.worker.run_due().await, 1, "who enqueues it again gives it another chance");
}

#[tokio::test]
async fn a_job_that_is_enqueued_while_it_runs_runs_again() {
    let world = World::new().await;
    world.enqueue("enqueued again meanwhile").await;
    world.worker.run_due().await;
    let (tries, due_in, ..) = world.row("enqueued again meanwhile").await.unwrap();
    assert!(tries == 0 && (7190..=7200).contains(&due_in), "{due_in}");
}

#[tokio::test]
async fn the_end_of_a_run_whose_lease_is_over_counts_no_more() {
    let world = World::new().await;
    world.enqueue("claimed again meanwhile").await;
    world.worker.run_due().await;
    let (tries, due_in, ..) = world.row("claimed again meanwhile").await.unwrap();
    assert!(tries == 2 && (10..=15).contains(&due_in), "it belongs to the second claim: {due_in}");
}

#[tokio::test]
async fn one_job_waits_for_a_key_and_none_once_it_is_cancelled() {
    let world = World::new().await;
    enqueue(&world.database.pool, "done", Duration::from_hours(1)).await;
    assert_eq!(world.worker.run_due().await, 0, "it is not due");
    world.enqueue("done").await;
    world.enqueue("done").await;
    assert_eq!(world.worker.run_due().await, 1);
    world.enqueue("done").await;
    let mut connection = world.database.pool.acquire().await.unwrap();
    Queue::cancel(&mut connection, [id("done")]).await.unwrap();
    assert_eq!(world.worker.run_due().await, 0);
}

#[tokio::test]
async fn a_job_that_waits_already_keeps_its_time_if_only_its_absence_matters() {
    let world = World::new().await;
    let mut connection = world.database.pool.acquire().await.unwrap();
    enqueue(&world.database.pool, "done", Duration::from_hours(1)).await;
    for (key, runs) in [("done", 0), ("other", 1)] {
        Queue::enqueue_if_absent(&mut connection, [id(key).now()]).await.unwrap();
        assert_eq!(world.worker.run_due().await, runs, "{key}");
    }
}

#[tokio::test]
async fn a_job_of_a_process_that_died_is_run_by_another_after_its_lease() {
    let world = World::new().await;
    world.enqueue("done").await;
    world.execute("update jobs.queue set run_at = now() + interval '15 seconds', tries = 1").await;
    assert_eq!(world.worker.run_due().await, 0, "somebody may still be at it");
    world.execute("update jobs.queue set run_at = now()").await;
    assert_eq!(world.worker.run_due().await, 1);
}

#[tokio::test]
async fn no_more_jobs_run_at_once_than_there_are_slots() {
    let world = World::new().await;
    for n in 0..5 {
        world.enqueue(&n.to_string()).await;
    }
    assert_eq!(world.worker.run_due().await, 2);
    let World { database, state, worker, queue } = world;
    let lifecycle = Lifecycle::new();
    worker.start(&lifecycle);
    eventually("the rest is done", async || (state.runs.load(Ordering::Relaxed) == 5).then_some(())).await;
    enqueue(&database.pool, "done", Duration::ZERO).await;
    queue.wake();
    eventually("it is done", async || (state.runs.load(Ordering::Relaxed) == 6).then_some(())).await;
    assert!(lifecycle.stop().await);
}

#[tokio::test]
async fn a_job_that_keeps_a_connection_goes_on_while_the_worker_waits_for_one() {
    let World { database, .. } = World::new().await;
    let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(database.options.clone());
    let queue = Queue::default();
    let state = Arc::new(State { pool: Some(pool.clone()), queue: queue.clone(), ..State::default() });
    let worker = Worker::new(pool, queue, state).with::<Errand>();
    enqueue(&database.pool, "keeps the only connection", Duration::ZERO).await;
    let lifecycle = Lifecycle::new();
    worker.start(&lifecycle);
    let left = async || {
        let count = sqlx::query_scalar("select count(*) from jobs.queue").fetch_one(&database.pool).await;
        (count.ok() == Some(0_i64)).then_some(())
    };
    eventually("the job is done", left).await;
    assert!(lifecycle.stop().await);
}

#[tokio::test]
async fn a_kind_with_nothing_left_is_measured_as_such() {
    let metrics = PrometheusBuilder::new().install_recorder().unwrap();
    let World { database, worker, .. } = World::new().await;
    let measured = async |series: &str| {
        eventually(series, async || metrics.render().lines().any(|line| line == series).then_some(())).await;
    };
    enqueue(&database.pool, "hopeless", Duration::ZERO).await;
    worker.run_due().await;
    let lifecycle = Lifecycle::new();
    worker.start(&lifecycle);
    measured(r#"jobs_dead{kind="errand"} 1"#).await;
    let mut connection = database.pool.acquire().await.unwrap();
    Queue::cancel(&mut connection, [id("hopeless")]).await.unwrap();
    measured(r#"jobs_dead{kind="errand"} 0"#).await;
    assert!(lifecycle.stop().await);
}
