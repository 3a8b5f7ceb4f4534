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
use jobs::{Backoff, Job, Outcome, Queue, Worker};
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
struct Errand(String);

impl Job for Errand {
    const KIND: &'static str = "errand";
    const CONCURRENCY: u16 = 2;
    const BACKOFF: Backoff = Backoff::new(Duration::from_mins(1), Duration::from_mins(10));
    type State = Arc<State>;

    fn key(&self) -> String {
        self.0.clone()
    }

    fn from_key(key: &str) -> Option<Self> {
        (key != "unreadable").then(|| Self(key.to_owned()))
    }

    async fn run(&self, state: &Arc<State>) -> Result<Outcome, BoxError> {
        state.runs.fetch_add(1, Ordering::Relaxed);
        match self.0.as_str() {
            "fails" => Err("the other side does not answer".into()),
            "panics" => panic!("a bug"),
            "again" => Ok(Outcome::Again(Duration::from_hours(1))),
            "later" => Ok(Outcome::Later),
            "hopeless" => Ok(Outcome::Dead("it can never succeed")),
            "keeps the only connection" => {
                let mut tx = state.pool.as_ref().unwrap().begin().await?;
                state.queue.wake();
                sqlx::query("select pg_sleep(0.2)").execute(&mut *tx).await?;
                tx.commit().await?;
                Ok(Outcome::Done)
            }
            "enqueued again meanwhile" => {
                enqueue(state.pool.as_ref().unwrap(), &self.0, Duration::from_hours(2)).await;
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

async fn enqueue(pool: &PgPool, key: &str, delay: Duration) {
    let mut connection = pool.acquire().await.unwrap();
    Queue::enqueue(&mut connection, &Errand(key.to_owned()), delay).await.unwrap();
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
    Queue::enqueue(&mut tx, &Errand("done".to_owned()), Duration::ZERO).await.unwrap();
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
async fn one_job_waits_for_a_key_and_none_once_it_is_cancelled() {
    let world = World::new().await;
    enqueue(&world.database.pool, "done", Duration::from_hours(1)).await;
    assert_eq!(world.worker.run_due().await, 0, "it is not due");
    world.enqueue("done").await;
    world.enqueue("done").await;
    assert_eq!(world.worker.run_due().await, 1);
    world.enqueue("done").await;
    let mut connection = world.database.pool.acquire().await.unwrap();
    Queue::cancel(&mut connection, &Errand("done".to_owned())).await.unwrap();
    assert_eq!(world.worker.run_due().await, 0);
}

#[tokio::test]
async fn a_job_that_waits_already_keeps_its_time_if_only_its_absence_matters() {
    let world = World::new().await;
    let mut connection = world.database.pool.acquire().await.unwrap();
    enqueue(&world.database.pool, "done", Duration::from_hours(1)).await;
    for (key, runs) in [("done", 0), ("other", 1)] {
        Queue::enqueue_if_absent(&mut connection, &Errand(key.to_owned()), Duration::ZERO).await.unwrap();
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
