//! Handling a batch, and keeping what was given up.

use std::{sync::Arc, time::Duration};

use chassis::spans::Span;
use contracts::events::Fields;

use super::{DeadLetter, Incoming, Shared, StreamHandler, guarded, process_span, retry::Entry};
use crate::{HandlerError, Outcomes};

/// Entries and what came of them.
pub(super) type Done = Vec<(Entry, Ended)>;

/// How work on an entry has ended.
pub(super) enum Ended {
    Handled,
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

pub(super) async fn work<E: StreamHandler>(
    shared: Arc<Shared<E>>,
    stream: &'static str,
    batch: Vec<Entry>,
) -> Done {
    let fields: Vec<&Fields> = batch.iter().map(|entry| &entry.fields).collect();
    let outcomes = handle_all(&shared.handler, shared.group, stream, &fields, shared.policy.deadline).await;
    batch.into_iter().zip(outcomes.into_iter().map(Ended::from)).collect()
}

/// Hands a batch over. One that fails as a whole is halved until the culprit is alone, unless nothing can be handled now.
pub(crate) async fn handle_all<E: StreamHandler>(
    handler: &E,
    group: &'static str,
    stream: &str,
    batch: &[&Fields],
    deadline: Duration,
) -> Outcomes {
    let (mut outcomes, mut parts) = (Outcomes::with_capacity(batch.len()), vec![batch]);
    while let Some(part) = parts.pop() {
        match together(handler, group, stream, part, deadline).await {
            Ok(of_part) => outcomes.extend(of_part),
            Err(fail) if part.len() < 2 || fail.is_unreachable() => {
                outcomes.extend(fail.for_each().take(part.len()).map(Err));
            }
            Err(fail) => {
                tracing::warn!(stream, size = part.len(), error = fail.text(), "batch failed: halving it");
                let (first, second) = part.split_at(part.len().div_ceil(2));
                parts.extend([second, first]);
            }
        }
    }
    outcomes
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
        let keeping = shared.handler.keep_dead_letter(&dead_letter);
        let kept = guarded(shared.group, stream, &[], shared.policy.deadline, keeping).await;
        done.push((entry, kept.map_or_else(Ended::NotKept, |()| Ended::Kept(error))));
    }
    done
}

async fn together<E: StreamHandler>(
    handler: &E,
    group: &'static str,
    stream: &str,
    entries: &[&Fields],
    deadline: Duration,
) -> Result<Outcomes, HandlerError> {
    let mut spans: Vec<Span> = entries.iter().map(|fields| process_span(group, stream, fields)).collect();
    let batch: Vec<Incoming<'_>> = (entries.iter().zip(&spans))
        .map(|(fields, span)| Incoming { fields, trace: span.trace().clone() })
        .collect();
    let result = guarded(group, stream, &batch, deadline, handler.handle(stream, &batch)).await;
    let result = result.and_then(|outcomes| one_each(outcomes, batch.len()));
    let failed = |place: usize| result.as_ref().map_or(true, |outcomes| outcomes[place].is_err());
    spans.iter_mut().enumerate().filter(|(place, _)| failed(*place)).for_each(|(_, span)| span.fail());
    result
}

/// Outcomes that cannot be told apart by entry are none.
pub(crate) fn one_each<T>(outcomes: Vec<T>, entries: usize) -> Result<Vec<T>, HandlerError> {
    if outcomes.len() == entries {
        return Ok(outcomes);
    }
    Err(HandlerError::bug(format!("{} outcomes for {entries} events", outcomes.len())))
}
