//! Three events and an application that handles them as it is configured.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use contracts::events::{Event, Stream, Subject};
use messaging::{Envelope, Handle, HandleBatch, HandlerError, Outcomes, outbox};
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

    async fn act(
        &self,
        tx: &mut PgTransaction<'_>,
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
        sqlx::query("insert into effects (n) values ($1)").bind(n).execute(&mut **tx).await?;
        outbox::append(tx, Pong::new(n)).await?;
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

    async fn prepare(&self, _event: &Envelope<Ping>) -> Result<(), HandlerError> {
        *self.prepared.lock().unwrap() += 1;
        Ok(())
    }

    async fn apply(
        &self,
        tx: &mut PgTransaction<'_>,
        event: Envelope<Ping>,
        (): (),
    ) -> Result<(), HandlerError> {
        self.act(tx, &event.event.n).await?
    }
}

impl HandleBatch<Tally> for App {
    async fn apply_batch(
        &self,
        tx: &mut PgTransaction<'_>,
        events: &[Envelope<Tally>],
    ) -> Result<Outcomes, HandlerError> {
        self.batches.lock().unwrap().push(events.len());
        let mut outcomes = Outcomes::new();
        for event in events {
            outcomes.push(self.act(tx, &event.event.n).await?);
        }
        outcomes.truncate(self.outcomes.load(Ordering::Relaxed));
        Ok(outcomes)
    }
}
