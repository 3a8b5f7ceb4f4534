//! What surrounds every call of a handler: the trace of the event, a deadline, a net for panics.

use std::{any::Any, future::Future, panic::AssertUnwindSafe, time::Duration};

use chassis::{
    context::{self, Trace},
    spans,
};
use contracts::events::Fields;
use futures::FutureExt;
use tracing::{Instrument, Span, field::Empty};

use crate::HandlerError;

/// Where an entry comes from.
#[derive(Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub group: &'a str,
    pub stream: &'a str,
    pub fields: &'a Fields,
}

impl Origin<'_> {
    fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    fn exported_span(&self) -> spans::Span {
        let (correlation_id, traceparent) = (self.field("correlation_id"), self.field("traceparent"));
        let name = format!("process {}", self.stream);
        let mut span = spans::Span::start(spans::Kind::Consumer, name, correlation_id, traceparent);
        span.set("messaging.destination.name", self.stream.to_owned());
        span.set("messaging.consumer.group.name", self.group.to_owned());
        span
    }

    fn log_span(&self, trace: &Trace) -> Span {
        let span = tracing::info_span!(
            "event",
            group = self.group,
            stream = self.stream,
            event.type = self.field("type"),
            event.id = self.field("event_id"),
            order.id = Empty,
            correlation_id = trace.correlation_id,
        );
        if let Some(order) = self.field("order_id") {
            span.record("order.id", order);
        }
        span
    }
}

/// Runs a handler as part of the trace that its event belongs to. A panic is a bug of it; a missed deadline is not, for
/// what it waits for is mostly a database that is busy, and that passes.
pub(crate) async fn guarded<T>(
    origin: Origin<'_>,
    deadline: Duration,
    handler: impl Future<Output = Result<T, HandlerError>>,
) -> Result<T, HandlerError> {
    let mut exported = origin.exported_span();
    let trace = exported.trace().clone();
    let span = origin.log_span(&trace);
    let handler = AssertUnwindSafe(context::scope(trace, handler)).catch_unwind();
    let result = match tokio::time::timeout(deadline, handler).instrument(span).await {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => Err(HandlerError::bug(format!("panicked: {}", message(panic.as_ref())))),
        Err(_) => Err(HandlerError::retry(format!("not done after {deadline:?}"))),
    };
    if result.is_err() {
        exported.fail();
    }
    result
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}
