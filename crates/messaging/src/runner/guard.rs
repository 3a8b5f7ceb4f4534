//! What surrounds every call of a handler: the trace of the event, a deadline, a net for panics.

use std::{any::Any, future::Future, panic::AssertUnwindSafe, time::Duration};

use chassis::{context, spans};
use contracts::events::Fields;
use futures::FutureExt;
use tracing::{Instrument, Span};

use super::Incoming;
use crate::HandlerError;

/// Starts the span of handling an entry, for a collector of traces.
pub(crate) fn process_span(group: &'static str, stream: &str, fields: &Fields) -> spans::Span {
    let text = |name| fields.get(name).map(String::as_str);
    let (correlation_id, traceparent) = (text("correlation_id"), text("traceparent"));
    let name = format!("process {stream}");
    let mut span = spans::Span::start(spans::Kind::Consumer, name, correlation_id, traceparent);
    span.set("messaging.destination.name", stream.to_owned());
    span.set("messaging.consumer.group.name", group);
    span
}

/// Runs a handler. A panic is a bug of it; a missed deadline is not, for what it waits for is mostly a database that is
/// busy, and that passes. An entry that is alone has its calls and log lines made part of its trace.
pub(crate) async fn guarded<T>(
    group: &str,
    stream: &str,
    batch: &[Incoming<'_>],
    deadline: Duration,
    handler: impl Future<Output = Result<T, HandlerError>>,
) -> Result<T, HandlerError> {
    let guarded = AssertUnwindSafe(handler).catch_unwind();
    let ended = if let [Incoming { fields, trace }] = batch {
        let guarded = context::scope(trace.clone(), guarded);
        tokio::time::timeout(deadline, guarded).instrument(event_span(group, stream, fields, trace)).await
    } else {
        let span = tracing::info_span!("events", group, stream, count = batch.len());
        tokio::time::timeout(deadline, guarded).instrument(span).await
    };
    match ended {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => Err(HandlerError::bug(format!("panicked: {}", message(panic.as_ref())))),
        Err(_) => Err(HandlerError::retry(format!("not done after {deadline:?}"))),
    }
}

fn event_span(group: &str, stream: &str, fields: &Fields, trace: &context::Trace) -> Span {
    let text = |name| fields.get(name).map(String::as_str);
    tracing::info_span!(
        "event",
        group,
        stream,
        event.type = text("type"),
        event.id = text("event_id"),
        order.id = text("order_id"),
        correlation_id = trace.correlation_id,
    )
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}
