//! The pages of Swagger UI, which show one document.

use std::{io::Read, sync::Arc};

use axum::{
    Json, Router,
    body::Bytes,
    extract::Request,
    http::{
        HeaderMap, StatusCode,
        header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY},
    },
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use flate2::read::GzDecoder;
use utoipa::openapi::OpenApi;

const INDEX: &str = include_str!("index.html");
const INITIALIZER: &str = include_str!("initializer.js");

/// A file of Swagger UI's release: its name, its type, and its content as the build script compressed it.
macro_rules! asset {
    ($name:literal, $type:literal) => {
        ($name, $type, include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".gz")))
    };
}
const ASSETS: [(&str, &str, &[u8]); 3] = [
    asset!("swagger-ui-bundle.js", "text/javascript"),
    asset!("swagger-ui.css", "text/css"),
    asset!("favicon-32x32.png", "image/png"),
];

/// Serves the document and its pages below `base`.
pub fn routes(base: &str, title: &str, document: OpenApi) -> Router {
    let index = INDEX.replace("{title}", title);
    let index = move || {
        let index = index.clone();
        async move { ([(CONTENT_TYPE, "text/html; charset=utf-8")], index) }
    };
    let to_index = format!("{base}/");
    let document = Arc::new(document);
    let mut router = Router::new()
        .route(base, get(async move || Redirect::permanent(&to_index)))
        .route(&format!("{base}/"), get(index.clone()))
        .route(&format!("{base}/index.html"), get(index))
        .route(&format!("{base}/openapi.json"), get(async move || Json(document).into_response()))
        .route(
            &format!("{base}/swagger-initializer.js"),
            get(async || ([(CONTENT_TYPE, "text/javascript")], INITIALIZER)),
        );
    for (name, content_type, content) in ASSETS {
        let answer = async move |request: Request| asset(request.headers(), content_type, content);
        router = router.route(&format!("{base}/{name}"), get(answer));
    }
    router
}

fn asset(headers: &HeaderMap, content_type: &'static str, compressed: &'static [u8]) -> Response {
    let common =
        [(CONTENT_TYPE, content_type), (CACHE_CONTROL, "max-age=86400"), (VARY, ACCEPT_ENCODING.as_str())];
    if accepts_gzip(headers) {
        return (common, [(CONTENT_ENCODING, "gzip")], Bytes::from_static(compressed)).into_response();
    }
    let mut content = Vec::new();
    match GzDecoder::new(compressed).read_to_end(&mut content) {
        Ok(_) => (common, content).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Whether gzip is named, or else any coding, with a weight above 0 (RFC 9110, section 12.5.3).
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let weight = |coding: &str| {
        let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).find_map(|entry| {
            let (name, weight) = entry.split_once(';').unwrap_or((entry, "q=1"));
            let weight = weight.split_once('=').and_then(|(_, weight)| weight.trim().parse::<f32>().ok());
            name.trim().eq_ignore_ascii_case(coding).then_some(weight.unwrap_or_default())
        })
    };
    weight("gzip").or_else(|| weight("*")).is_some_and(|weight| weight > 0.0)
}
