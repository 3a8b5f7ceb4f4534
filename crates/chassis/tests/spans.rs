//! What a collector receives from a process, whose spans are global: so this is a test binary of its own.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may panic")]

use axum::{body::Body, http::Request};
use chassis::{Service, context, http, spans::Exporter};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    trace::v1::Span,
};
use testkit::{Sample, SampleRoutes};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tonic::{Request as Call, Response, Status, async_trait, service::Routes};
use tower::ServiceExt;
use utoipa_axum::{router::OpenApiRouter, routes};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

struct Traced;

impl SampleRoutes for Traced {
    fn routes() -> OpenApiRouter {
        OpenApiRouter::new().routes(routes!(trace))
    }
}

/// What it would hand on to those whom it calls.
#[utoipa::path(get, path = "/api/v1/trace", operation_id = "trace", responses((status = 200, body = String)))]
async fn trace() -> String {
    context::current().traceparent
}

/// A collector that passes on what it receives.
struct Collector(UnboundedSender<ExportTraceServiceRequest>);

#[async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        call: Call<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.send(call.into_inner()).unwrap();
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_a_span_of_its_callers_trace_and_the_parent_of_what_it_causes() {
    let (sender, mut received) = unbounded_channel();
    let listener = http::bind(([127, 0, 0, 1], 0).into(), "the collector's port").unwrap();
    let address = listener.local_addr().unwrap();
    let context = Sample::<Traced>::context(&[&format!("--otel-exporter-otlp-endpoint=http://{address}")]);
    let collector = Routes::new(TraceServiceServer::new(Collector(sender))).into_axum_router();
    let stop = context.lifecycle.shutdown().cancelled_owned();
    context.lifecycle.spawn("collector", http::serve(listener, collector, stop));
    let exporter = Exporter::start(&context.common, Sample::<Traced>::NAME).unwrap();

    let request = Request::get("/api/v1/trace").header("traceparent", format!("00-{TRACE}-{CALLER}-01"));
    let router = Sample::<Traced>::router(&context);
    let answer = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let handed_on = axum::body::to_bytes(answer.into_body(), 100).await.unwrap();
    exporter.end().await;

    let export = received.recv().await.unwrap();
    let resource = export.resource_spans[0].resource.clone().unwrap();
    let name = resource.attributes.iter().find(|attribute| attribute.key == "service.name").unwrap();
    assert!(format!("{name:?}").contains("sample-service"), "{name:?}");
    let [span]: [Span; 1] = export.resource_spans[0].scope_spans[0].spans.clone().try_into().unwrap();
    assert_eq!(span.name, "GET /api/v1/trace");
    assert_eq!(
        (hex::encode(&span.trace_id).as_str(), hex::encode(&span.parent_span_id).as_str()),
        (TRACE, CALLER)
    );
    assert_eq!(format!("00-{TRACE}-{}-01", hex::encode(&span.span_id)), String::from_utf8_lossy(&handed_on));
    assert!(span.attributes.iter().any(|attribute| attribute.key == "http.response.status_code"));
    assert!(context.lifecycle.stop().await);
}
