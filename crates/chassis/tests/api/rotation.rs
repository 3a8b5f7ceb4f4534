//! Secrets that are being replaced: the new one signs, both are accepted.

use axum::{
    body::Body,
    http::{HeaderMap, Request},
};
use chassis::auth::{self, Sessions, Tokens};
use tonic::{Code, Status, service::Routes};
use tower::ServiceExt;

use super::{claims, context_with, service};

const ROTATED: [&str; 2] = ["--jwt-secret-previous=old", "--internal-secret-previous=older"];

/// A token that a process with another `JWT_SECRET` signed.
fn signed_with(secret: &str) -> String {
    Tokens::new(&secret.into(), None, Sessions::default()).sign(&claims()).unwrap()
}

#[tokio::test]
async fn a_token_that_was_signed_with_the_previous_secret_still_counts() {
    let router = service(&context_with(&ROTATED));
    let status = async |secret: &str| {
        let request = Request::get("/api/v1/notes/3")
            .header("authorization", format!("Bearer {}", signed_with(secret)))
            .body(Body::empty());
        router.clone().oneshot(request.unwrap()).await.unwrap().status().as_u16()
    };
    assert_eq!([status("a").await, status("old").await, status("older").await], [200, 200, 401]);
    let expired = auth::Claims { exp: 1, ..claims() };
    let expired = Tokens::new(&"old".into(), None, Sessions::default()).sign(&expired).unwrap();
    assert!(context_with(&ROTATED).tokens.verify(&expired).is_err(), "no older than others may be");
}

#[tokio::test]
async fn new_tokens_are_signed_with_the_present_secret() {
    let signed = context_with(&ROTATED).tokens.sign(&claims()).unwrap();
    let counts =
        |secret: &str| Tokens::new(&secret.into(), None, Sessions::default()).verify(&signed).is_ok();
    assert_eq!([counts("a"), counts("old")], [true, false]);
}

#[tokio::test]
async fn callers_may_show_the_previous_internal_secret() {
    let code = async |flags: &[&str], secret: &str| {
        let router = chassis::service::grpc_router(Routes::default(), &context_with(flags)).await;
        let request = Request::post("/a.Service/Method").header("authorization", format!("Bearer {secret}"));
        let request = request.header("content-type", "application/grpc").body(Body::empty()).unwrap();
        let headers: HeaderMap = router.oneshot(request).await.unwrap().headers().clone();
        Status::from_header_map(&headers).unwrap().code()
    };
    let (in_, out) = (Code::Unimplemented, Code::Unauthenticated);
    assert_eq!([code(&ROTATED, "b").await, code(&ROTATED, "older").await], [in_, in_]);
    assert_eq!([code(&ROTATED, "old").await, code(&ROTATED, "").await], [out, out]);
    assert_eq!([code(&[], "b").await, code(&[], "older").await, code(&[], "").await], [in_, out, out]);
}
