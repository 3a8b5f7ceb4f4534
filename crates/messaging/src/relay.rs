//! Carries committed events to their streams, and sends again what Redis forgot.
//!
//! One relay per database is active; it holds an advisory lock for as long as its connection lives, and does all of
//! its work on that connection. Each batch moves a mark, in Redis together with the entries and in Postgres together
//! with the rows. A mark in Redis that is below the one in Postgres means that Redis lost something.

mod housekeeping;
mod publish;
mod store;

use std::time::Duration;

use contracts::events::Stream;
use redis::aio::MultiplexedConnection;
use sqlx::{Connection, PgConnection, PgPool};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    Error, Outbox,
    connection::{Outage, connect},
};
use publish::Published;

/// The times and bounds of a relay.
#[derive(Debug, Clone)]
pub struct RelayPolicy {
    /// Rows per batch.
    pub batch: u16,
    /// How often to look for rows that nobody woke us for, and for a lock that has come free.
    pub poll: Duration,
    /// How long adding a batch may take.
    pub publish_timeout: Duration,
    /// How often to compare the marks while there is nothing to send.
    pub check: Duration,
    /// How often to trim, to delete what is too old, and to measure.
    pub housekeeping: Duration,
    /// How long a published row is kept at least.
    pub keep_published: Duration,
    /// How long an inbox row is kept.
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
            poll: Duration::from_millis(200),
            publish_timeout: Duration::from_secs(2),
            check: Duration::from_secs(1),
            housekeeping: Duration::from_secs(10),
            keep_published: Duration::from_hours(24),
            keep_handled: Duration::from_hours(30 * 24),
            keep_ungrouped: Duration::from_hours(1),
            silent_after: Duration::from_hours(24),
        }
    }
}

/// The task that empties the outbox of one database.
pub struct Relay {
    mark_key: String,
    pool: PgPool,
    redis: redis::Client,
    outbox: Outbox,
    /// The streams that this service publishes, and so trims.
    streams: &'static [Stream],
    policy: RelayPolicy,
}

/// How long the statements around a batch may take; beyond it the connection is lost.
const STATEMENTS_TIMEOUT: Duration = Duration::from_secs(30);

/// What came of looking for something to send.
enum Turn {
    /// So many rows were sent.
    Sent(usize),
    /// Redis is at this mark, which it had passed.
    Lost(i64),
}

/// The connections of an active or waiting relay.
struct Session {
    postgres: PgConnection,
    redis: MultiplexedConnection,
    /// The mark in Postgres, once the lock is ours.
    mark: Option<i64>,
    /// When the marks were compared last.
    checked: Instant,
    /// When the housekeeping was done last.
    kept: Option<Instant>,
}

impl Relay {
    /// A relay for the outbox in `pool`, woken by `outbox`. `service` names the mark in Redis.
    pub fn new(
        service: &'static str,
        pool: PgPool,
        redis: redis::Client,
        outbox: Outbox,
        streams: &'static [Stream],
    ) -> Self {
        let mark_key = format!("outbox:{service}:mark");
        Self { mark_key, pool, redis, outbox, streams, policy: RelayPolicy::default() }
    }

    /// Other times and bounds than the usual ones.
    #[must_use]
    pub fn policy(mut self, policy: RelayPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Relays until `shutdown`. Trouble with Redis or Postgres is waited out.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut outage = Outage::new(self.mark_key.clone());
        while !shutdown.is_cancelled() {
            if let Err(error) = self.session(&shutdown, &mut outage).await {
                let wait = outage.failed(error.as_ref());
                self.measure().await;
                shutdown.run_until_cancelled(sleep(wait)).await;
            }
        }
    }

    /// Works until the shutdown, or until a connection fails.
    async fn session(&self, shutdown: &CancellationToken, outage: &mut Outage) -> Result<(), Error> {
        let mut session = Session {
            redis: connect(&self.redis, Some(self.policy.publish_timeout)).await?,
            postgres: self.pool.acquire().await?.detach(),
            mark: None,
            checked: Instant::now(),
            kept: None,
        };
        while !shutdown.is_cancelled() {
            let sent = self.turn(&mut session).await?;
            outage.healed();
            if sent < usize::from(self.policy.batch) {
                tokio::select! {
                    () = self.outbox.woken() => {}
                    _ = shutdown.run_until_cancelled(sleep(self.policy.poll)) => {}
                }
            }
        }
        // Closing gives the lock back at once.
        Ok(session.postgres.close().await?)
    }

    /// One round: the lock if it is free, a batch, the housekeeping when it is due. Returns how much was sent.
    async fn turn(&self, session: &mut Session) -> Result<usize, Error> {
        if session.mark.is_none() && store::lock(&mut session.postgres).await? {
            session.mark = Some(store::mark(&mut session.postgres).await?);
        }
        let sent = match session.mark {
            Some(mark) => match timeout(STATEMENTS_TIMEOUT, self.publish(session, mark)).await?? {
                Turn::Sent(rows) => rows,
                Turn::Lost(found) => self.send_again(session, mark, found).await?,
            },
            None => 0,
        };
        if session.kept.is_none_or(|kept| kept.elapsed() >= self.policy.housekeeping) {
            session.kept = Some(Instant::now());
            self.measure().await;
            if session.mark.is_some() {
                self.keep_house(session).await?;
            }
        }
        Ok(sent)
    }

    /// Sends a batch, and compares the marks even if there is none.
    async fn publish(&self, session: &mut Session, mark: i64) -> Result<Turn, Error> {
        let rows = store::unpublished(&mut session.postgres, self.policy.batch).await?;
        if rows.is_empty() && session.checked.elapsed() < self.policy.check {
            return Ok(Turn::Sent(0));
        }
        session.checked = Instant::now();
        match publish::publish(&mut session.redis, &self.mark_key, mark, &rows).await? {
            Published::Lost { found } => return Ok(Turn::Lost(found)),
            Published::All { mark, ids } if !rows.is_empty() => {
                store::published(&mut session.postgres, mark, &rows, &ids).await?;
                session.mark = Some(mark);
            }
            Published::All { .. } => {}
        }
        Ok(Turn::Sent(rows.len()))
    }

    /// Redis is at an older mark: what came after it is unpublished, and only then does Redis get the mark.
    async fn send_again(&self, session: &mut Session, mark: i64, found: i64) -> Result<usize, Error> {
        let (mut last, mut rows) = (0, 0);
        while let Some((id, some)) = store::unpublish_above(&mut session.postgres, found, last).await? {
            (last, rows) = (id, rows + some);
        }
        tracing::error!(mark, found, rows, "Redis lost events: sending them again");
        metrics::counter!("outbox_losses_total").increment(1);
        publish::recover(&mut session.redis, &self.mark_key, found, mark).await?;
        // As much as a full batch: there is no reason to rest.
        Ok(self.policy.batch.into())
    }
}
