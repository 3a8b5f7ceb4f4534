//! What Prometheus may read, however the callers behave.

use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use chassis::{ServiceContext, telemetry};
use tower::ServiceExt;

use super::{context, get, service};

/// More than one route's worth of series, and far less than one for each invented method.
const BOUND: usize = 32 * 1024;

#[tokio::test]
async fn invented_methods_and_paths_do_not_grow_the_metrics() {
    let recorder = telemetry::recorder().unwrap();
    let _installed = metrics::set_default_local_recorder(&recorder);
    let router = service(&ServiceContext { metrics: Some(recorder.handle()), ..context() });
    for n in 0..2_000 {
        for path in ["/api/v1/notes".to_owned(), format!("/api/v1/notes/{n}"), format!("/invented/{n}")] {
            let method = format!("INVENTED{n}");
            let request = Request::builder().method(method.as_str()).uri(&path).body(Body::empty()).unwrap();
            let status = router.clone().oneshot(request).await.unwrap().status();
            let expected =
                if path.starts_with("/api") { StatusCode::METHOD_NOT_ALLOWED } else { StatusCode::NOT_FOUND };
            assert_eq!(status, expected, "{method} {path}");
        }
    }
    let scraped = router.oneshot(get("/metrics")).await.unwrap();
    let scraped = to_bytes(scraped.into_body(), usize::MAX).await.unwrap();
    assert!(scraped.len() < BOUND, "{} bytes", scraped.len());
    let text = String::from_utf8(scraped.to_vec()).unwrap();
    assert!(!text.contains("INVENTED") && !text.contains("/invented"));
    let refused = r#"http_requests_total{method="_OTHER",route="/api/v1/notes",status="405"} 2000"#;
    assert!(text.contains(refused), "{text}");
}
