//! Three events and an application that handles them as it is configured.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use chassis::context::Trace;
use contracts::events::{Event, Stream, Subject};
use messaging::{Handle, HandlerError, Outcomes, PreparedBatch, Received, outbox};
use serde::{Deserialize, Serialize};
use sqlx::PgTransaction;
use tokio::sync::Semaphore;

pub const GROUP: &str = "test-group";
/// Must read tallies, too, but no consumer of the tests is a consumer of it.
pub const SECOND_GROUP: &str = "second-group";

macro_rules! event {
    ($name:ident, $stream:literal, $groups:expr) => {
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $name {
            pub n: String,
        }

        impl $name {
            pub fn new(n: i64) -> Self {
                Self { n: n.to_string() }
            }
        }

        impl Event for $name {
            const TYPE: &'static str = stringify!($name);
            const STREAM: Stream = Stream { name: $stream, groups: $groups };

            fn subject(&self) -> Option<Subject> {
                None
            }
        }
    };
}

event!(Ping, "stream:test:pings", &[GROUP]);
event!(Tally, "stream:test:tallies", &[GROUP, SECOND_GROUP]);
// Nobody follows it in a group.
event!(Pong, "stream:test:pongs", &[]);

/// What the application does with an event, after it has written its effect.
pub enum Conduct {
    Succeed,
    HandlerError(HandlerError),
    /// Fails before it has written anything, and leaves the others of its batch alone.
    FailAlone(HandlerError),
    Panic,
    Hang,
    /// Waits for a permit of [`App::gate`].
    WaitAtGate,
}

type Decide = dyn Fn(i64, u32) -> Conduct + Send + Sync;

#[derive(Clone)]
pub struct App {
    /// Decides by the event's number and by how often it was tried, from 1.
    decide: Arc<Mutex<Arc<Decide>>>,
    tries: Arc<Mutex<HashMap<i64, u32>>>,
    prepared: Arc<Mutex<u32>>,
    /// Whether a table of rows has one for each event, which is locked.
    locks_rows: Arc<AtomicBool>,
    /// The numbers of the events that cannot be prepared.
    pub unprepared: Arc<Mutex<HashSet<String>>>,
    pub gate: Arc<Semaphore>,
    /// The sizes of the batches that were applied.
    pub batches: Arc<Mutex<Vec<usize>>>,
    /// How many outcomes a batch returns at most.
    pub outcomes: Arc<AtomicUsize>,
}

impl App {
    pub fn new() -> Self {
        Self {
            decide: Arc::new(Mutex::new(Arc::new(|_, _| Conduct::Succeed))),
            tries: Arc::default(),
            prepared: Arc::default(),
            locks_rows: Arc::default(),
            unprepared: Arc::default(),
            gate: Arc::new(Semaphore::new(0)),
            batches: Arc::default(),
            outcomes: Arc::new(AtomicUsize::new(usize::MAX)),
        }
    }

    pub fn conduct(&self, decide: impl Fn(i64, u32) -> Conduct + Send + Sync + 'static) {
        *self.decide.lock().unwrap() = Arc::new(decide);
    }

    pub fn tries(&self, n: i64) -> u32 {
        self.tries.lock().unwrap().get(&n).copied().unwrap_or_default()
    }

    pub fn prepared(&self) -> u32 {
        *self.prepared.lock().unwrap()
    }

    /// From now on the row of each event is locked first.
    pub fn lock_rows(&self) {
        self.locks_rows.store(true, Ordering::Relaxed);
    }

    async fn act(
        &self,
        tx: &mut PgTransaction<'_>,
        trace: &Trace,
        n: &str,
    ) -> Result<Result<(), HandlerError>, HandlerError> {
        let n: i64 = n.parse().map_err(HandlerError::bug)?;
        let number = {
            let mut tries = self.tries.lock().unwrap();
            let number = tries.entry(n).or_default();
            *number += 1;
            *number
        };
        let decide = self.decide.lock().unwrap().clone();
        let conduct = decide(n, number);
        if let Conduct::FailAlone(fail) = conduct {
            return Ok(Err(fail));
        }
        if self.locks_rows.load(Ordering::Relaxed) {
            let lock = sqlx::query("select from rows where n = $1 for update");
            lock.bind(n).execute(&mut **tx).await?;
        }
        sqlx::query("insert into effects (n) values ($1)").bind(n).execute(&mut **tx).await?;
        outbox::append_all(tx, [(trace.clone(), Pong::new(n))]).await?;
        match conduct {
            Conduct::Succeed => Ok(Ok(())),
            Conduct::FailAlone(_) => unreachable!("it has written nothing"),
            Conduct::HandlerError(fail) => Err(fail),
            Conduct::Panic => panic!("span to panic"),
            Conduct::Hang => std::future::pending().await,
            Conduct::WaitAtGate => {
                let _taken = std::mem::ManuallyDrop::new(self.gate.acquire().await.unwrap());
                Ok(Ok(()))
            }
        }
    }
}

impl Handle<Ping> for App {
    type Prepared = ();
    const PREPARES: bool = true;

    async fn prepare(&self, events: &[Received<Ping>]) -> PreparedBatch<()> {
        let mut outcomes = Vec::new();
        for Received { event, .. } in events {
            *self.prepared.lock().unwrap() += 1;
            let refused = self.unprepared.lock().unwrap().contains(&event.n);
            outcomes.push(if refused { Err(HandlerError::retry("a peer is away")) } else { Ok(()) });
        }
        Ok(outcomes)
    }

    async fn apply(
        &self,
        tx: &mut PgTransaction<'_>,
        events: &[Received<Ping>],
        prepared: Vec<()>,
    ) -> Result<Outcomes, HandlerError> {
        assert_eq!(events.len(), prepared.len());
        let mut outcomes = Outcomes::new();
        for Received { event, trace, .. } in events {
            outcomes.push(self.act(tx, trace, &event.n).await?);
        }
        Ok(outcomes)
    }
}

impl Handle<Tally> for App {
    type Prepared = ();

    async fn apply(
        &self,
        tx: &mut PgTransaction<'_>,
        events: &[Received<Tally>],
        _: Vec<()>,
    ) -> Result<Outcomes, HandlerError> {
        self.batches.lock().unwrap().push(events.len());
        let mut outcomes = Outcomes::new();
        for Received { event, trace, .. } in events {
            outcomes.push(self.act(tx, trace, &event.n).await?);
        }
        outcomes.truncate(self.outcomes.load(Ordering::Relaxed));
        Ok(outcomes)
    }
}
