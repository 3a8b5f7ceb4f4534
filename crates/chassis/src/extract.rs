//! Axum's extractors with our errors: every refusal is a [`Problem`] that names the member.

mod integers;
mod json;

use std::fmt;

use axum::{
    body::Bytes,
    extract::{
        FromRequest, FromRequestParts, RawPathParams, Request,
        path::ErrorKind,
        rejection::{BytesRejection, PathRejection},
    },
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{CONTENT_ENCODING, CONTENT_TYPE},
        request::Parts,
    },
};
use garde::Validate;
use serde::de::DeserializeOwned;

pub use json::{object, parse};

use crate::{Code, FieldError, Problem};

/// A JSON body that was read and found valid.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

/// A JSON body that may be left out: then it is the type's default.
#[derive(Debug, Clone, Copy)]
pub struct OptionalJson<T>(pub T);

/// The Idempotency-Key header, if it is there: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone)]
pub struct IdempotencyKey(pub Option<String>);

/// Says on a reply that it is the one to an earlier request with the same key.
pub const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The longest Idempotency-Key, in bytes.
const LONGEST_KEY: usize = 255;

/// The query string, read and found valid.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

/// The parameters of the path, in their order; one that does not parse is 400 and named.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all("idempotency-key").iter();
        let Some(value) = values.next() else { return Ok(Self(None)) };
        let key = value.as_bytes();
        let well_formed = (1..=LONGEST_KEY).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
        match value.to_str() {
            Ok(key) if well_formed && values.next().is_none() => Ok(Self(Some(key.to_owned()))),
            _ => Err(Problem::invalid_field(
                "Idempotency-Key",
                "must be 1 to 255 visible ASCII characters, once",
            )),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Validate<Context = ()>> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        require_json(request.headers())?;
        let body = Bytes::from_request(request, state).await.map_err(refused_body)?;
        parse(&body).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Validate<Context = ()> + Default> FromRequest<S>
    for OptionalJson<T>
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let headers = request.headers().clone();
        let body = Bytes::from_request(request, state).await.map_err(refused_body)?;
        if body.trim_ascii().is_empty() {
            return Ok(Self(T::default()));
        }
        require_json(&headers)?;
        parse(&body).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Validate<Context = ()>> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let pairs = parts.uri.query().unwrap_or_default();
        if pairs.contains("%00") {
            return Err(Problem::malformed("NUL is not allowed."));
        }
        let reader = serde_urlencoded::Deserializer::new(form_urlencoded::parse(pairs.as_bytes()));
        let query = serde_path_to_error::deserialize(reader).map_err(|error| wrong_member(&error))?;
        validated(query).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(PathRejection::FailedToDeserializePathParams(failure)) => Err(match failure.into_kind() {
                ErrorKind::ParseErrorAtKey { key, .. } => {
                    Problem::invalid_field(key, "must be a positive integer")
                }
                ErrorKind::DeserializeError { key, message, .. } => Problem::invalid_field(key, message),
                _ => Problem::invalid_field(last_parameter(parts).await, "must be a positive integer"),
            }),
            Err(other) => Err(Problem::internal(other)),
        }
    }
}

/// The parameter of a path that has one; axum does not name it.
async fn last_parameter(parts: &mut Parts) -> String {
    let parameters = RawPathParams::from_request_parts(parts, &()).await;
    let last = parameters.ok().and_then(|all| all.iter().last().map(|(name, _)| name.to_owned()));
    last.unwrap_or_default()
}

fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let essence = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    let is_plain = |coding: &HeaderValue| coding.as_bytes().eq_ignore_ascii_case(b"identity");
    if !essence.trim().eq_ignore_ascii_case("application/json") {
        return Err(unsupported("Send the body as application/json."));
    }
    if !headers.get_all(CONTENT_ENCODING).iter().all(is_plain) {
        return Err(unsupported("Send the body without a Content-Encoding."));
    }
    Ok(())
}

fn unsupported(detail: &'static str) -> Problem {
    Problem::new(Code::UnsupportedMediaType, detail)
}

fn refused_body(rejection: BytesRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::new(Code::TooLarge, "The body is too large.");
    }
    Problem::malformed("The body could not be read.")
}

fn wrong_member<E: fmt::Display>(error: &serde_path_to_error::Error<E>) -> Problem {
    let message = error.inner().to_string();
    let message = message.split(" at line ").next().unwrap_or(&message);
    let path = error.path().to_string();
    let path = path.trim_start_matches('.');
    let field = match quoted(message) {
        Some(member) if path.is_empty() => member.to_owned(),
        // Its path is that of the object which lacks it, or has it twice.
        Some(member) if !message.starts_with("unknown field") => format!("{path}.{member}"),
        _ => path.to_owned(),
    };
    Problem::invalid_field(field, message)
}

/// The member that serde names in "missing field `x`" and "unknown field `x`".
fn quoted(message: &str) -> Option<&str> {
    let about_member =
        ["missing field", "unknown field", "duplicate field"].iter().any(|m| message.starts_with(m));
    message.split('`').nth(1).filter(|_| about_member)
}

fn validated<T: Validate<Context = ()>>(value: T) -> Result<T, Problem> {
    value.validate().map_err(|report| {
        let errors = report.iter().map(|(path, error)| FieldError::new(path.to_string(), error.message()));
        Problem::invalid(errors.collect())
    })?;
    Ok(value)
}
