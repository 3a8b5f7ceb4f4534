//! What `doctor --apply` does: it repeats what a service would have done by itself. Every consumer and every job bears
//! repetition, so the worst that a needless repair does is nothing. It never writes an order, a payment, a refund, a hold
//! or a delivery.

use serde::Serialize;
use time::OffsetDateTime;

use super::Ledger;
use crate::shop::Service;
use crate::{Error, Result};

/// Something safe to do about a discrepancy.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Repair {
    /// Mark an event of an outbox as unpublished, so that its relay publishes it once more.
    Publish {
        /// Whose outbox has it.
        service: Service,
        /// Which row.
        row: i64,
    },
    /// Enqueue a job that should wait and does not, or one that was given up.
    Enqueue {
        /// Whose job it is.
        service: Service,
        /// Its kind.
        job: String,
        /// What it is about.
        key: String,
        /// When it should run; in the past: now.
        #[serde(with = "time::serde::rfc3339")]
        run_at: OffsetDateTime,
    },
}

/// What is done, as a sentence without its subject.
impl std::fmt::Display for Repair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Publish { service, row } => write!(f, "published event {row} of {} again", service.name()),
            Self::Enqueue { service, job, key, .. } => {
                write!(f, "enqueued job {job} of {key} in {}", service.name())
            }
        }
    }
}

const PUBLISH: &str = "UPDATE messaging.outbox
    SET published_at = NULL, mark = NULL, entry_ms = NULL, entry_seq = NULL WHERE id = $1";
const ENQUEUE: &str = "INSERT INTO jobs.queue (kind, key, run_at) VALUES ($1, $2, greatest(now(), $3))
    ON CONFLICT (kind, key) DO UPDATE SET run_at = excluded.run_at, tries = 0, error = NULL, dead_at = NULL,
        enqueued_at = now(), generation = queue.generation + 1
    WHERE queue.dead_at IS NOT NULL";

impl Ledger {
    /// Repairs one discrepancy. False if that was not necessary any more.
    ///
    /// # Errors
    /// If the database does not answer, or may not be written.
    pub async fn repair(&self, repair: &Repair) -> Result<bool> {
        let (service, query) = match repair {
            Repair::Publish { service, row } => (service, sqlx::query(PUBLISH).bind(row)),
            Repair::Enqueue { service, job, key, run_at } => {
                (service, sqlx::query(ENQUEUE).bind(job).bind(key).bind(run_at))
            }
        };
        let done = query.execute(self.pool(*service)?).await;
        let failed = Error::sql(format!("repair something in the database of {}", service.name()));
        Ok(done.map_err(failed)?.rows_affected() > 0)
    }
}
