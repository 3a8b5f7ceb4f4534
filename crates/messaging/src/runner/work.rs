//! Handling one entry, or one batch, in a slot.

use std::sync::Arc;

use contracts::events::Fields;
use tokio::sync::OwnedSemaphorePermit;

use super::{DeadLetter, Origin, Shared, StreamHandler, guarded, retry::Entry};
use crate::{HandlerError, Outcomes};

/// Entries and what came of them.
pub(super) type Done = Vec<(Entry, Ended)>;

/// How work on an entry has ended.
pub(super) enum Ended {
    /// Its effects are there.
    Handled,
    /// They are not.
    Failed(HandlerError),
    /// It is kept as a dead letter, with this error.
    Kept(String),
    /// It should be, but that failed.
    NotKept(HandlerError),
}

impl From<Result<(), HandlerError>> for Ended {
    fn from(result: Result<(), HandlerError>) -> Self {
        result.map_or_else(Self::Failed, |()| Self::Handled)
    }
}

/// Handles entries in the slot that the permit stands for.
pub(super) async fn work<E: StreamHandler>(
    shared: Arc<Shared<E>>,
    stream: &'static str,
    entries: Vec<Entry>,
    _slot: Option<OwnedSemaphorePermit>,
) -> Done {
    if entries.len() > 1
        && let Ok(outcomes) = together(&shared, stream, &entries).await
    {
        return entries.into_iter().zip(outcomes.into_iter().map(Ended::from)).collect();
    }
    let mut done = Vec::with_capacity(entries.len());
    for entry in entries {
        let origin = Origin { group: shared.group, stream, fields: &entry.fields };
        let handler = shared.handler.handle(stream, &entry.fields);
        let result = guarded(origin, shared.policy.deadline, handler).await;
        done.push((entry, result.into()));
    }
    done
}

/// Has the handler keep entries that were given up, in their order.
pub(super) async fn keep<E: StreamHandler>(
    shared: Arc<Shared<E>>,
    stream: &'static str,
    dead: Vec<(Entry, HandlerError)>,
) -> Done {
    let mut done = Vec::with_capacity(dead.len());
    for (entry, fail) in dead {
        let error = fail.text();
        let dead_letter = DeadLetter::of(stream, &entry, &error);
        let origin = Origin { group: shared.group, stream, fields: &entry.fields };
        let kept =
            guarded(origin, shared.policy.deadline, shared.handler.keep_dead_letter(&dead_letter)).await;
        done.push((entry, kept.map_or_else(Ended::NotKept, |()| Ended::Kept(error))));
    }
    done
}

async fn together<E: StreamHandler>(
    shared: &Shared<E>,
    stream: &str,
    entries: &[Entry],
) -> Result<Outcomes, HandlerError> {
    let batch: Vec<&Fields> = entries.iter().map(|entry| &entry.fields).collect();
    let Some(first) = batch.first() else { return Ok(Outcomes::new()) };
    let origin = Origin { group: shared.group, stream, fields: first };
    let result = guarded(origin, shared.policy.deadline, shared.handler.handle_batch(stream, &batch)).await;
    let result = result.and_then(|outcomes| one_each(outcomes, batch.len()));
    if let Err(fail) = &result {
        tracing::warn!(stream, size = entries.len(), error = fail.text(), "batch failed: one by one");
    }
    result
}

/// Outcomes that cannot be told apart by entry are none.
pub(crate) fn one_each(outcomes: Outcomes, entries: usize) -> Result<Outcomes, HandlerError> {
    if outcomes.len() == entries {
        return Ok(outcomes);
    }
    Err(HandlerError::bug(format!("{} outcomes for {entries} events", outcomes.len())))
}
