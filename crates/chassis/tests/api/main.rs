//! What every service answers, whatever it does: a service with next to no routes of its own.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may panic")]

mod broadcast;
mod cache;
mod codes;
mod cross_origin;
mod database;
mod metrics;
mod migrations;
mod peer;
mod rotation;
mod sessions;
mod shop;

use std::io::Read;

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
};
use chassis::{Json, Path, ServiceContext, User, auth};
use contracts::OrderId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use testkit::{Sample, SampleRoutes};
use tower::ServiceExt;
use utoipa_axum::{router::OpenApiRouter, routes};

struct Notes;

impl SampleRoutes for Notes {
    fn routes() -> OpenApiRouter {
        OpenApiRouter::new().routes(routes!(echo)).routes(routes!(read)).routes(routes!(panics))
    }
}

#[derive(Debug, Serialize, Deserialize, garde::Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Note {
    #[garde(length(chars, min = 1, max = 5))]
    text: String,
}

/// Sends a note back.
#[utoipa::path(post, path = "/api/v1/notes", operation_id = "echo", request_body = Note, responses((status = 200, body = Note)))]
async fn echo(Json(note): Json<Note>) -> axum::Json<Note> {
    axum::Json(note)
}

/// Reads a note.
#[utoipa::path(get, path = "/api/v1/notes/{id}", operation_id = "read", params(("id" = OrderId, Path)),
    security(("token" = [])), responses((status = 200, body = i64)))]
async fn read(user: User, Path(id): Path<OrderId>) -> String {
    format!("{} reads {id}", user.id())
}

/// Has a bug.
#[utoipa::path(get, path = "/api/v1/bug", operation_id = "bug", responses((status = 200)))]
async fn panics() {
    panic!("a secret detail");
}

fn context() -> ServiceContext {
    context_with(&[])
}

fn context_with(own: &[&str]) -> ServiceContext {
    let origins = "--cors-allowed-origins=https://a.example, https://shop.example";
    Sample::<Notes>::context(&[&[origins], own].concat())
}

fn claims() -> auth::Claims {
    testkit::claims(7, auth::Role::User)
}

fn service(context: &ServiceContext) -> Router {
    Sample::<Notes>::router(context)
}

async fn ask(request: Request<Body>) -> (StatusCode, header::HeaderMap, Value) {
    let response = service(&context()).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    (parts.status, parts.headers, serde_json::from_slice(&body).unwrap_or_default())
}

fn post(body: impl Into<Body>) -> Request<Body> {
    Request::post("/api/v1/notes").header("content-type", "application/json").body(body.into()).unwrap()
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn every_refusal_is_a_problem_with_its_code() {
    let delete = Request::delete("/api/v1/notes").body(Body::empty()).unwrap();
    let text = Request::post("/api/v1/notes").body(Body::from("{}")).unwrap();
    let encoded = |coding: &'static str| {
        let mut request = post(r#"{"text":"a"}"#);
        request.headers_mut().insert("content-encoding", coding.parse().unwrap());
        request
    };
    let cases = [
        (get("/nowhere"), 404, "not_found"),
        (delete, 405, "method_not_allowed"),
        (text, 415, "unsupported_media_type"),
        (encoded("gzip"), 415, "unsupported_media_type"),
        (encoded("br"), 415, "unsupported_media_type"),
        (post("{"), 400, "malformed"),
        (post(r#"{"text":""}"#), 400, "invalid"),
        (post(format!(r#"{{"text":"{}"}}"#, "x".repeat(70_000))), 413, "too_large"),
        (get("/api/v1/notes/1"), 401, "unauthorized"),
        (get("/api/v1/bug"), 500, "internal"),
    ];
    for (request, status, code) in cases {
        let what = format!("{} {}", request.method(), request.uri());
        let (answered, headers, body) = ask(request).await;
        assert_eq!((answered.as_u16(), &body["code"]), (status, &Value::from(code)), "{what}");
        assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json", "{what}");
        assert_eq!(body["correlation_id"], headers["x-correlation-id"].to_str().unwrap(), "{what}");
        assert!(!body.to_string().contains("secret detail"));
    }
}

#[tokio::test]
async fn a_body_that_is_said_to_be_unencoded_is_read() {
    let mut request = post(r#"{"text":"a"}"#);
    request.headers_mut().insert("content-encoding", "Identity".parse().unwrap());
    assert_eq!(ask(request).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_refused_method_names_the_allowed_ones_and_a_missing_token_the_scheme() {
    let delete = Request::delete("/api/v1/notes").body(Body::empty()).unwrap();
    assert_eq!(ask(delete).await.1[header::ALLOW], "POST");
    assert_eq!(ask(get("/api/v1/notes/1")).await.1[header::WWW_AUTHENTICATE], "Bearer");
}

#[tokio::test]
async fn the_correlation_id_comes_back() {
    let request =
        Request::get("/health/live").header("x-correlation-id", "mine-1").body(Body::empty()).unwrap();
    assert_eq!(ask(request).await.1["x-correlation-id"], "mine-1");
    let request =
        Request::get("/health/live").header("x-correlation-id", "not ours").body(Body::empty()).unwrap();
    assert_ne!(ask(request).await.1["x-correlation-id"], "not ours");
}

#[tokio::test]
async fn a_path_id_is_checked_and_named() {
    let context = context();
    let token = context.tokens.sign(&claims()).unwrap();
    for (id, status) in [("3", 200), ("0", 400), ("-1", 400), ("x", 400), ("9223372036854775808", 400)] {
        let request = Request::get(format!("/api/v1/notes/{id}"));
        let request = request.header("authorization", format!("Bearer {token}")).body(Body::empty()).unwrap();
        let response = service(&context).oneshot(request).await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{id}");
        if status == 400 {
            let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
            let body: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["errors"][0]["field"], "id", "{id}");
        }
    }
}

#[tokio::test]
async fn the_document_says_what_every_operation_can_answer() {
    let (status, _, document) = ask(get("/sample-docs/openapi.json")).await;
    assert_eq!((status, &document["openapi"]), (StatusCode::OK, &Value::from("3.1.0")));
    let read = &document["paths"]["/api/v1/notes/{id}"]["get"]["responses"];
    for status in ["400", "401", "503"] {
        let schema = &read[status]["content"]["application/problem+json"]["schema"]["allOf"][0]["$ref"];
        assert_eq!(schema, "#/components/schemas/Problem", "{status}");
    }
    assert_eq!(document["components"]["securitySchemes"]["token"]["scheme"], "bearer");
    assert_eq!(document["components"]["schemas"]["Note"]["additionalProperties"], false);
}

#[tokio::test]
async fn the_pages_of_the_document_are_there_compressed_or_not() {
    let context = context();
    let fetch = async |path: &str, coding: Option<&str>| {
        let request = Request::get(format!("/sample-docs/{path}"));
        let request =
            coding.into_iter().fold(request, |request, coding| request.header("accept-encoding", coding));
        let response = service(&context).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let coding = response.headers().get("content-encoding").cloned();
        (coding, axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap())
    };
    for path in ["", "index.html", "swagger-initializer.js"] {
        assert!(!fetch(path, None).await.1.is_empty(), "{path}");
    }
    for path in ["swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"] {
        let (plain, compressed) = (fetch(path, None).await, fetch(path, Some("br, gzip")).await);
        assert_eq!((plain.0, compressed.0.unwrap().as_bytes()), (None, b"gzip".as_slice()));
        let mut decompressed = Vec::new();
        flate2::read::GzDecoder::new(&compressed.1[..]).read_to_end(&mut decompressed).unwrap();
        assert!(decompressed == plain.1 && plain.1.len() > 500, "{path}");
    }
    for (accepted, compressed) in [
        ("br, GZIP;q=0.5", true),
        ("br, *", true),
        ("*;q=0, gzip", true),
        ("gzip;q=0", false),
        ("br, gzip; q=0.000, *", false),
        ("*;q=0", false),
        ("br, ungzip", false),
        ("", false),
    ] {
        assert_eq!(fetch("swagger-ui.css", Some(accepted)).await.0.is_some(), compressed, "{accepted}");
    }
}
