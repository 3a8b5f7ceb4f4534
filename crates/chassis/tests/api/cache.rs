//! Which answers caches may keep, and for whom.

use axum::{
    body::Body,
    http::{Request, header},
};
use tower::ServiceExt;

use super::{ask, claims, context, get, post, service};

#[tokio::test]
async fn no_cache_keeps_what_is_personal() {
    let context = context();
    let token = context.tokens.sign(&claims()).unwrap();
    for path in ["/api/v1/notes/3", "/api/v1/notes/x", "/api/v1/bug", "/nowhere"] {
        let request = Request::get(path).header("authorization", format!("Bearer {token}"));
        let response = service(&context).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store", "{path}");
    }
    assert_eq!(
        ask(post(r#"{"text":"a"}"#)).await.1[header::CACHE_CONTROL],
        "no-store",
        "as a login's answer"
    );
    assert_eq!(ask(get("/api/v1/notes/3")).await.1[header::CACHE_CONTROL], "no-store", "without a token too");
}

#[tokio::test]
async fn what_everybody_may_read_is_left_to_its_handler() {
    assert_eq!(ask(get("/health/live")).await.1.get(header::CACHE_CONTROL), None);
}
