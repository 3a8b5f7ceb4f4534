//! Answers that a client may keep and ask whether they are still right.

use axum::{
    Json,
    http::{
        HeaderMap, StatusCode,
        header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
    response::{IntoResponse, Response},
};
use chassis::Problem;
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_128;

/// The answer with its `ETag`, or 304 if the client has it. To a request with a token just the answer: nobody keeps that.
pub fn conditional(request: &HeaderMap, body: impl Serialize) -> Response {
    if request.contains_key(AUTHORIZATION) {
        return Json(body).into_response();
    }
    match serde_json::to_vec(&body) {
        Ok(body) => tagged(request, body),
        Err(error) => Problem::internal(error).into_response(),
    }
}

fn tagged(request: &HeaderMap, body: Vec<u8>) -> Response {
    let tag = format!("\"{:032x}\"", xxh3_128(&body));
    let headers = [(ETAG, tag.as_str()), (CACHE_CONTROL, "no-cache")];
    if has(request, &tag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, [(CONTENT_TYPE, "application/json")], body).into_response()
}

/// Whether the client has what the tag identifies. Weakened tags count: a proxy that compresses makes such.
fn has(request: &HeaderMap, tag: &str) -> bool {
    let lists = request.get_all(IF_NONE_MATCH).iter().filter_map(|list| list.to_str().ok());
    let mut tags = lists.flat_map(|list| list.split(',')).map(str::trim);
    tags.any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}
