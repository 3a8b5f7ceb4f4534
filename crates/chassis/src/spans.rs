//! What is exported to a collector of traces (OpenTelemetry, OTLP over gRPC): every request, call and event is a span, and those
//! that one purchase causes, in whichever service, are one trace. Without a collector the ids are made all the same, so
//! that logs and events can be tied together.

use std::{borrow::Cow, sync::OnceLock, time::Duration};

use axum::http::HeaderMap;
use opentelemetry::{
    Context, KeyValue, Value,
    trace::{
        Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId,
        TraceState, Tracer, TracerProvider,
    },
};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{SdkTracer, SdkTracerProvider},
};

use crate::{
    BoxError, Common,
    context::{CORRELATION_ID, TRACEPARENT, Trace, TraceParent},
};

/// How long one export may take; what a collector does not take in time is dropped, never waited for.
const EXPORT: Duration = Duration::from_secs(5);
/// How long the last export may take.
const LAST_EXPORT: Duration = Duration::from_secs(2);

/// Makes the spans of this process, if a collector gets them.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// The collector that spans go to, if there is one.
#[derive(Debug)]
pub struct Exporter(Option<SdkTracerProvider>);

impl Exporter {
    /// Sends the spans of this process to the collector of the configuration from now on.
    ///
    /// # Errors
    /// If the endpoint is not a URL. A collector that is not there is no error.
    pub fn start(common: &Common, service: &'static str) -> Result<Self, BoxError> {
        let Some(endpoint) = &common.otel_exporter_otlp_endpoint else { return Ok(Self(None)) };
        let exporter =
            SpanExporter::builder().with_tonic().with_endpoint(endpoint).with_timeout(EXPORT).build()?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(Resource::builder().with_service_name(service).build())
            .build();
        TRACER.get_or_init(|| provider.tracer("shop"));
        Ok(Self(Some(provider)))
    }

    /// Sends what is left, two seconds at most; called last, when no work is in hand.
    pub async fn end(self) {
        let Some(provider) = self.0 else { return };
        let last = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(LAST_EXPORT));
        if !matches!(last.await, Ok(Ok(()))) {
            tracing::warn!("the last spans did not reach the collector");
        }
    }
}

/// Which side of what a piece of work is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It answers a request or a call.
    Server,
    /// It handles an event or runs a job.
    Consumer,
}

/// A piece of work as a collector sees it: from its start until it is dropped.
pub struct Span {
    trace: Trace,
    /// What the collector gets; nothing without one.
    exported: Option<opentelemetry_sdk::trace::Span>,
}

impl Span {
    /// Starts a piece of work that continues what the caller sent, as far as it is well-formed.
    pub fn start(
        kind: Kind,
        name: impl Into<Cow<'static, str>>,
        correlation_id: Option<&str>,
        traceparent: Option<&str>,
    ) -> Self {
        Self::named_by(|| name.into(), kind, correlation_id, traceparent)
    }

    /// As [`Self::start`], for an HTTP request or a gRPC call. Only a collector needs its name.
    pub(crate) fn of_request(name: impl FnOnce() -> String, headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        Self::named_by(|| name().into(), Kind::Server, text(CORRELATION_ID), text(TRACEPARENT))
    }

    fn named_by(
        name: impl FnOnce() -> Cow<'static, str>,
        kind: Kind,
        correlation_id: Option<&str>,
        traceparent: Option<&str>,
    ) -> Self {
        let Some(tracer) = TRACER.get() else {
            return Self { trace: Trace::continued(correlation_id, traceparent), exported: None };
        };
        let kind = match kind {
            Kind::Server => SpanKind::Server,
            Kind::Consumer => SpanKind::Consumer,
        };
        let parent = traceparent.and_then(TraceParent::parse);
        let span =
            tracer.build_with_context(SpanBuilder::from_name(name()).with_kind(kind), &context_of(parent));
        let own = span.span_context();
        let own = TraceParent { trace_id: own.trace_id().to_string(), span_id: own.span_id().to_string() };
        Self { trace: Trace::of(correlation_id, &own), exported: Some(span) }
    }

    /// Its place in the trace, for what it causes.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Adds what is known of it. The keys are those of OpenTelemetry's semantic conventions.
    pub fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        if let Some(span) = &mut self.exported {
            span.set_attribute(KeyValue::new(key, value));
        }
    }

    /// Marks it as failed, for the collector.
    pub fn fail(&mut self) {
        if let Some(span) = &mut self.exported {
            span.set_status(Status::error(""));
        }
    }
}

fn context_of(parent: Option<TraceParent>) -> Context {
    let ids = parent.and_then(|TraceParent { trace_id, span_id }| {
        Some((TraceId::from_hex(&trace_id).ok()?, SpanId::from_hex(&span_id).ok()?))
    });
    let Some((trace_id, span_id)) = ids else { return Context::new() };
    let remote = SpanContext::new(trace_id, span_id, TraceFlags::SAMPLED, true, TraceState::default());
    Context::new().with_remote_span_context(remote)
}
