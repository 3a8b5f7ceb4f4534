//! What ties the log lines, calls and events of one request together: a correlation id for people, a W3C trace
//! context for tools. It is task-local, so that nothing has to be passed through every signature.

use std::future::Future;

/// The header, and gRPC metadata key, of the correlation id.
pub const CORRELATION_ID: &str = "x-correlation-id";
/// The header, and gRPC metadata key, of the W3C trace context.
pub const TRACEPARENT: &str = "traceparent";

/// Where a piece of work comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// 1 to 64 characters of `[A-Za-z0-9._-]`.
    pub correlation_id: String,
    /// `00-{trace id}-{span id}-{flags}`, to be sent along with everything that this work causes.
    pub traceparent: String,
}

tokio::task_local! {
    static CURRENT: Trace;
}

/// The trace of the work in hand, or a new one for work that nobody asked for.
pub fn current() -> Trace {
    CURRENT.try_with(Clone::clone).unwrap_or_else(|_| Trace::start())
}

/// Runs a future as part of a trace.
pub async fn scope<F: Future>(trace: Trace, future: F) -> F::Output {
    CURRENT.scope(trace, future).await
}

impl Trace {
    /// A new trace, for work that no request or event has caused.
    pub fn start() -> Self {
        Self::continued(None, None)
    }

    /// Continues what the caller sent, as far as it is well-formed: a malformed id is replaced.
    pub fn continued(correlation_id: Option<&str>, traceparent: Option<&str>) -> Self {
        let trace_id =
            traceparent.and_then(TraceParent::parse).map_or_else(random_trace_id, |it| it.trace_id);
        let span_id = format!("{:016x}", rand::random::<u64>());
        Self::of(correlation_id, &TraceParent { trace_id, span_id })
    }

    /// The trace of a span whose ids are known.
    pub(crate) fn of(correlation_id: Option<&str>, ids: &TraceParent) -> Self {
        Self {
            correlation_id: correlation_id
                .filter(|id| is_correlation_id(id))
                .map_or_else(random_trace_id, str::to_owned),
            traceparent: format!("00-{}-{}-01", ids.trace_id, ids.span_id),
        }
    }
}

fn random_trace_id() -> String {
    format!("{:032x}", rand::random::<u128>())
}

fn is_correlation_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

/// The ids of a version-00 traceparent (<https://www.w3.org/TR/trace-context/>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TraceParent {
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// 16 hexadecimal digits.
    pub span_id: String,
}

impl TraceParent {
    pub(crate) fn parse(header: &str) -> Option<Self> {
        let mut parts = header.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let hex = |part: &str, len| {
            part.len() == len && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        let id = |part: &str, len| hex(part, len) && part.bytes().any(|b| b != b'0');
        let known =
            version == "00" && parts.next().is_none() && id(trace, 32) && id(span, 16) && hex(flags, 2);
        known.then(|| Self { trace_id: trace.to_owned(), span_id: span.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_well_formed_trace_is_continued_and_a_malformed_one_replaced() {
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let trace = Trace::continued(Some("abc.1_-Z"), Some(parent));
        assert_eq!(trace.correlation_id, "abc.1_-Z");
        assert!(trace.traceparent.starts_with("00-0af7651916cd43dd8448eb211c80319c-"));
        assert_ne!(trace.traceparent, parent, "each hop is a span of its own");

        let long = "a".repeat(65);
        for bad in ["", "a b", "é", "a/b", &long] {
            assert_ne!(Trace::continued(Some(bad), None).correlation_id, bad);
        }
        for bad in ["", "00-x-y-01", "00-00000000000000000000000000000000-b7ad6b7169203331-01"] {
            assert_eq!(TraceParent::parse(bad), None, "{bad}");
        }
    }
}
