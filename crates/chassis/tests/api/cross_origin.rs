//! Calls from front ends of other origins, and what OPTIONS answers.

use axum::{
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
};
use tower::ServiceExt;

use super::{ask, context, service};

async fn allowed(origin: &str) -> Option<String> {
    let request = Request::get("/health/live").header("origin", origin).body(Body::empty()).unwrap();
    let headers = ask(request).await.1;
    Some(headers.get("access-control-allow-origin")?.to_str().unwrap().to_owned())
}

fn options(path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let request =
        headers.iter().fold(Request::options(path), |request, (name, value)| request.header(*name, *value));
    request.body(Body::empty()).unwrap()
}

const PREFLIGHT: [(&str, &str); 2] =
    [("origin", "https://shop.example"), ("access-control-request-method", "POST")];

#[tokio::test]
async fn only_known_origins_may_read_answers() {
    for origin in ["https://a.example", "https://shop.example", "http://localhost", "http://localhost:5173"] {
        assert_eq!(allowed(origin).await.as_deref(), Some(origin));
    }
    for origin in [
        "https://evil.example",
        "https://shop.example.evil.example",
        "http://shop.example",
        "https://shop.example:8443",
        "https://shop.example@evil.example",
        "https://shop.example/",
        "http://localhost.evil.example",
        "http://localhost:3000.evil.example",
        "http://localhost:3000@evil.example",
        "http://evil@localhost:3000",
        "http://localhost:",
        "http://localhost:99999",
        "https://localhost:3000",
        "null",
        "",
    ] {
        assert_eq!(allowed(origin).await, None, "{origin}");
    }
}

#[tokio::test]
async fn production_knows_no_local_front_ends() {
    let context = context();
    let common = chassis::Common { app_env: chassis::config::AppEnv::Production, ..context.common.clone() };
    let router = service(&chassis::ServiceContext { common, ..context });
    let request = Request::get("/health/live").header("origin", "http://localhost:5173");
    let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.headers().get("access-control-allow-origin"), None);
}

#[tokio::test]
async fn a_preflight_of_a_path_that_exists_is_answered() {
    let (status, headers, _) = ask(options("/api/v1/notes", &PREFLIGHT)).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers["access-control-allow-origin"], "https://shop.example");
    assert!(headers["access-control-allow-methods"].to_str().unwrap().contains("POST"));
}

#[tokio::test]
async fn options_of_a_path_that_does_not_exist_is_not_found() {
    for headers in [&[][..], &PREFLIGHT] {
        let (status, _, body) = ask(options("/nowhere", headers)).await;
        assert_eq!((status, &body["code"]), (StatusCode::NOT_FOUND, &"not_found".into()));
    }
}

#[tokio::test]
async fn options_without_a_preflight_is_a_method_like_any_other() {
    let half: [&[(&str, &str)]; 3] = [&[], &PREFLIGHT[..1], &PREFLIGHT[1..]];
    for headers in half {
        let (status, headers, body): (_, HeaderMap, _) = ask(options("/api/v1/notes", headers)).await;
        assert_eq!((status, &body["code"]), (StatusCode::METHOD_NOT_ALLOWED, &"method_not_allowed".into()));
        assert_eq!(headers[header::ALLOW], "POST");
    }
}
