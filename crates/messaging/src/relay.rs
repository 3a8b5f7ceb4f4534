//! Carries committed events to their streams, and sends again what Redis forgot.
//!
//! One relay per database is active; it holds an advisory lock for as long as its session lives, and does all of its
//! publishing in that session. Each batch moves a mark, in Redis together with the entries and in Postgres together with
//! the rows. A mark in Redis that is below the one in Postgres means that Redis lost something.
//!
//! The session of a relay that is frozen or cut off ends by Postgres' clock, and another relay takes over. What the first
//! one still has on its way may reach Redis at any time later. It can only add entries once more, for two reasons: its
//! writes to Postgres need the session that is gone, and each take-over begins a new epoch, the upper bits of the mark.
//! Redis refuses what comes from an earlier epoch; and if Redis has lost the later one, by an older copy, what it then
//! accepts moves its mark within the earlier epoch, below every row of the later one, so that the loss is still noticed.

mod backlog;
mod maintenance;
mod publish;
mod store;

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chassis::{broadcast::Broadcast, failpoint::around};
use contracts::events::Stream;
use redis::{RedisResult, aio::MultiplexedConnection};
use sqlx::{Connection, PgConnection, PgPool};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Error, Outbox,
    connection::{Reconnect, connect},
};
use publish::{Published, Refusal};
use store::Lead;

/// The times and bounds of a relay.
#[derive(Debug, Clone)]
pub struct RelayPolicy {
    /// Rows that one script publishes at most; Redis serves nobody else while it runs.
    pub batch: u16,
    /// How often to look for a lock that has come free, and for rows that nobody woke us for: a relay that stands by wakes the
    /// active one over Redis, which may lose that. Below the 5 s after which Postgres ends a session that asks nothing.
    pub poll: Duration,
    /// How long adding a batch may take. Below 5 s, too.
    pub publish_timeout: Duration,
    /// How often to compare the marks while there is nothing to send.
    pub check: Duration,
    /// How often to trim and to delete what is too old.
    pub maintenance: Duration,
    /// How often to measure what waits to be published.
    pub measure: Duration,
    /// How old a row that waits may become before a relay that stands by logs it.
    pub warn_after: Duration,
    /// How old a row that waits may become before that is an alarm.
    pub alarm_after: Duration,
    /// How long a published row is kept at least.
    pub keep_published: Duration,
    /// How long an inbox row is kept, and a dead letter that was replayed or discarded.
    pub keep_handled: Duration,
    /// How long entries of streams without groups are kept.
    pub keep_ungrouped: Duration,
    /// How long a group may leave an entry unacknowledged before that is an alarm.
    pub silent_after: Duration,
}

impl Default for RelayPolicy {
    fn default() -> Self {
        Self {
            batch: 500,
            poll: Duration::from_secs(1),
            publish_timeout: Duration::from_secs(2),
            check: Duration::from_secs(2),
            maintenance: Duration::from_secs(10),
            measure: Duration::from_secs(5),
            warn_after: Duration::from_secs(5),
            alarm_after: Duration::from_secs(15),
            keep_published: Duration::from_hours(24),
            keep_handled: Duration::from_hours(30 * 24),
            keep_ungrouped: Duration::from_hours(1),
            silent_after: Duration::from_hours(24),
        }
    }
}

/// Where relays that stand by tell the active one, with the name of the service, that there is something to send.
const WAKES: &str = "outbox:wakes";

/// The task that empties the outbox of one database.
pub struct Relay {
    service: &'static str,
    mark_key: String,
    pool: PgPool,
    redis: redis::Client,
    outbox: Outbox,
    /// The relays of the other replicas.
    peers: Broadcast,
    woken_by_peer: Notify,
    /// The streams that this service publishes, and so trims.
    streams: &'static [Stream],
    policy: RelayPolicy,
    role: Mutex<Role>,
}

/// What a relay was when it last looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Without connections: PostgreSQL or Redis could not be reached, or took too long.
    Interrupted,
    /// Waiting, since then, for the lock that another session holds.
    Standby(Instant),
    /// The holder of the lock: the one replica that publishes.
    Active,
}

/// How long one step may take before its connections are given up. Postgres has ended the statement before.
const STEP_TIMEOUT: Duration = Duration::from_secs(12);

/// What came of looking for something to send.
enum PublishOutcome {
    /// So many rows were sent; 0 if nothing waits.
    Published(usize),
    /// Redis is at this mark, which it had passed.
    MarkLost(i64),
}

/// The connections of an active or waiting relay.
struct Session {
    postgres: PgConnection,
    redis: MultiplexedConnection,
    /// Where we are as the active relay, once the lock is ours.
    lead: Option<Lead>,
    /// When the marks were compared last.
    checked: Instant,
    /// The streams that take no entries, and when to try them again.
    refusing: (Vec<String>, Instant),
    refusals: Reconnect,
}

impl Relay {
    /// A relay for the outbox in `pool`, woken by `outbox`. `service` names the mark in Redis.
    ///
    /// # Errors
    /// If the client's address cannot be used.
    pub fn new(
        service: &'static str,
        pool: PgPool,
        redis: redis::Client,
        outbox: Outbox,
        streams: &'static [Stream],
    ) -> RedisResult<Self> {
        Ok(Self {
            service,
            mark_key: format!("outbox:{service}:mark"),
            pool,
            peers: Broadcast::new(redis.clone(), WAKES)?,
            woken_by_peer: Notify::new(),
            redis,
            outbox,
            streams,
            policy: RelayPolicy::default(),
            role: Mutex::new(Role::Interrupted),
        })
    }

    /// Other times and bounds than the usual ones.
    #[must_use]
    pub fn policy(mut self, policy: RelayPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Relays until `shutdown`, and keeps the outbox and its streams small. Failures of Redis or Postgres are waited
    /// out. A slow delete or count delays no event: each of the three has connections of its own.
    pub async fn run(self, shutdown: CancellationToken) {
        let of_peers = shutdown.run_until_cancelled(self.hear_peers());
        tokio::join!(
            self.publish_all(&shutdown),
            self.maintain(&shutdown),
            self.watch_backlog(&shutdown),
            of_peers
        );
    }

    async fn hear_peers(&self) {
        let wake = |service: Option<String>| {
            if service.as_deref() == Some(self.service) {
                self.woken_by_peer.notify_one();
            }
        };
        Broadcast::listen_on(&self.redis, WAKES, wake).await;
    }

    async fn publish_all(&self, shutdown: &CancellationToken) {
        let mut reconnect = Reconnect::new(self.mark_key.clone());
        while !shutdown.is_cancelled() {
            let ended = self.session(shutdown, &mut reconnect).await;
            self.set_role(Role::Interrupted);
            if let Err(error) = ended {
                let wait = reconnect.failed(error.as_ref());
                shutdown.run_until_cancelled(sleep(wait)).await;
            }
        }
    }

    /// Works until the shutdown, or until a connection fails.
    async fn session(&self, shutdown: &CancellationToken, reconnect: &mut Reconnect) -> Result<(), Error> {
        let mut session = Session {
            redis: connect(&self.redis, Some(self.policy.publish_timeout)).await?,
            postgres: self.pool.acquire().await?.detach(),
            lead: None,
            checked: Instant::now(),
            refusing: (Vec::new(), Instant::now()),
            refusals: Reconnect::new(format!("{} of refused entries", self.mark_key)),
        };
        step(store::bound_session(&mut session.postgres)).await?;
        while !shutdown.is_cancelled() {
            let sent = self.turn(&mut session).await?;
            reconnect.recovered();
            if sent < usize::from(self.policy.batch) {
                tokio::select! {
                    () = self.outbox.woken() => if session.lead.is_none() { self.peers.send(self.service).await },
                    () = self.woken_by_peer.notified() => {}
                    _ = shutdown.run_until_cancelled(sleep(self.policy.poll)) => {}
                }
            }
        }
        // Closing gives the lock back at once.
        Ok(session.postgres.close().await?)
    }

    /// One round: the lock if it is free, then a batch. Returns how much was sent.
    async fn turn(&self, session: &mut Session) -> Result<usize, Error> {
        if session.lead.is_none() && step(store::lock(&mut session.postgres)).await? {
            session.lead = Some(step(store::take_over(&mut session.postgres)).await?);
            self.set_role(Role::Active);
        }
        let Some(lead) = session.lead else {
            if self.role() == Role::Interrupted {
                self.set_role(Role::Standby(Instant::now()));
            }
            return Ok(0);
        };
        match step(self.publish(session, lead)).await? {
            PublishOutcome::Published(rows) => Ok(rows),
            PublishOutcome::MarkLost(found) => self.send_again(session, lead.mark, found).await,
        }
    }

    /// Sends a batch; an empty one now and then, to compare the marks.
    async fn publish(&self, session: &mut Session, lead: Lead) -> Result<PublishOutcome, Error> {
        let (refusing, until) = &mut session.refusing;
        if Instant::now() >= *until {
            refusing.clear();
        }
        let rows = store::unpublished(&mut session.postgres, self.policy.batch, refusing).await?;
        if rows.is_empty() && session.checked.elapsed() < self.policy.check {
            return Ok(PublishOutcome::Published(0));
        }
        session.checked = Instant::now();
        match publish::publish(&mut session.redis, &self.mark_key, lead, &rows).await? {
            Published::Superseded => Err("another relay has taken over: standing by".into()),
            Published::Lost { found } => Ok(PublishOutcome::MarkLost(found)),
            Published::Added { mark, entries, refused } => {
                if !entries.is_empty() {
                    let marking = store::published(&mut session.postgres, mark, &entries);
                    around("marking what was published by", self.service, marking).await?;
                    session.lead = Some(Lead { mark, ..lead });
                }
                session.note(refused);
                Ok(PublishOutcome::Published(entries.len()))
            }
        }
    }

    /// Redis is at an older mark: what came after it is unpublished, and only then does Redis get the mark.
    async fn send_again(&self, session: &mut Session, mark: i64, found: i64) -> Result<usize, Error> {
        let (mut last, mut rows) = (0, 0);
        while let Some((id, some)) = step(store::unpublish_above(&mut session.postgres, found, last)).await? {
            (last, rows) = (id, rows + some);
        }
        tracing::error!(mark, found, rows, "Redis lost events: sending them again");
        metrics::counter!("outbox_losses_total").increment(1);
        publish::recover(&mut session.redis, &self.mark_key, found, mark).await?;
        // As much as a full batch: there is no reason to rest.
        Ok(self.policy.batch.into())
    }

    fn role(&self) -> Role {
        *self.role.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_role(&self, role: Role) {
        *self.role.lock().unwrap_or_else(PoisonError::into_inner) = role;
    }
}

impl Session {
    /// Leaves streams alone for a while that take no entries, so that they hold up no others.
    fn note(&mut self, refused: Vec<Refusal>) {
        let (refusing, until) = &mut self.refusing;
        if let Some(refusal) = refused.first() {
            *until = Instant::now() + self.refusals.failed(refusal);
        } else if refusing.is_empty() {
            self.refusals.recovered();
        }
        refusing.extend(refused.into_iter().map(|refusal| refusal.stream));
    }
}

/// Bounds a step on our side as well: a server that the network has lost answers nothing, not even that it is late.
async fn step<T, E: Into<Error>>(work: impl Future<Output = Result<T, E>>) -> Result<T, Error> {
    timeout(STEP_TIMEOUT, work).await?.map_err(Into::into)
}
