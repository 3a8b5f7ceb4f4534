//! Handling one entry, or one batch, in a slot.

use std::sync::Arc;

use contracts::events::Fields;
use tokio::sync::OwnedSemaphorePermit;

use super::{Crew, DeadLetter, Endpoint, Origin, guarded, verdict::Entry};
use crate::{Fail, Outcomes};

/// Entries and what came of them.
pub(super) type Done = Vec<(Entry, Ended)>;

/// How work on an entry has ended.
pub(super) enum Ended {
    /// Its effects are there.
    Handled,
    /// They are not.
    Failed(Fail),
    /// It is kept as a dead letter, with this error.
    Kept(String),
    /// It should be, but that failed.
    NotKept(Fail),
}

impl From<Result<(), Fail>> for Ended {
    fn from(result: Result<(), Fail>) -> Self {
        result.map_or_else(Self::Failed, |()| Self::Handled)
    }
}

/// Handles entries in the slot that the permit stands for.
pub(super) async fn work<E: Endpoint>(
    crew: Arc<Crew<E>>,
    stream: &'static str,
    entries: Vec<Entry>,
    _slot: Option<OwnedSemaphorePermit>,
) -> Done {
    if entries.len() > 1
        && let Ok(outcomes) = together(&crew, stream, &entries).await
    {
        return entries.into_iter().zip(outcomes.into_iter().map(Ended::from)).collect();
    }
    let mut done = Vec::with_capacity(entries.len());
    for entry in entries {
        let origin = Origin { group: crew.group, stream, fields: &entry.fields };
        let handler = crew.endpoint.handle(stream, &entry.fields);
        let result = guarded(origin, crew.policy.deadline, handler).await;
        done.push((entry, result.into()));
    }
    done
}

/// Has the endpoint keep entries that were given up, in their order.
pub(super) async fn keep<E: Endpoint>(
    crew: Arc<Crew<E>>,
    stream: &'static str,
    dead: Vec<(Entry, Fail)>,
) -> Done {
    let mut done = Vec::with_capacity(dead.len());
    for (entry, fail) in dead {
        let error = fail.text();
        let letter = DeadLetter::of(stream, &entry, &error);
        let origin = Origin { group: crew.group, stream, fields: &entry.fields };
        let kept = guarded(origin, crew.policy.deadline, crew.endpoint.keep_dead_letter(&letter)).await;
        done.push((entry, kept.map_or_else(Ended::NotKept, |()| Ended::Kept(error))));
    }
    done
}

async fn together<E: Endpoint>(crew: &Crew<E>, stream: &str, entries: &[Entry]) -> Result<Outcomes, Fail> {
    let batch: Vec<&Fields> = entries.iter().map(|entry| &entry.fields).collect();
    let Some(first) = batch.first() else { return Ok(Outcomes::new()) };
    let origin = Origin { group: crew.group, stream, fields: first };
    let result = guarded(origin, crew.policy.deadline, crew.endpoint.handle_batch(stream, &batch)).await;
    let result = result.and_then(|outcomes| one_each(outcomes, batch.len()));
    if let Err(fail) = &result {
        tracing::warn!(stream, size = entries.len(), error = fail.text(), "batch failed: one by one");
    }
    result
}

/// Outcomes that cannot be told apart by entry are none.
pub(crate) fn one_each(outcomes: Outcomes, entries: usize) -> Result<Outcomes, Fail> {
    if outcomes.len() == entries {
        return Ok(outcomes);
    }
    Err(Fail::bug(format!("{} outcomes for {entries} events", outcomes.len())))
}
