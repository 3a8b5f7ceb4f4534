//! One error type for both protocols: [`Problem`] becomes RFC 9457 `application/problem+json` over HTTP and a
//! [`tonic::Status`] over gRPC. What it says is for the caller; its source is for the log, once, here.

use std::{borrow::Cow, sync::Arc};

use axum::{
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{BoxError, Code, ErrorCode, context, database, error_chain};

/// The media type of every error answer.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// What is wrong with one member of the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The member, as a path: `items[0].quantity`. Empty for the whole body.
    #[schema(max_length = 255, example = "quantity")]
    pub field: String,
    /// What is wrong with it.
    #[schema(max_length = 500, example = "greater than 1000")]
    pub message: String,
}

impl FieldError {
    /// Names a member and what is wrong with it. Both may repeat the input, so they are cut.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: cut(field.into(), 255), message: cut(message.into(), 500) }
    }
}

/// The beginning of a text, in characters.
fn cut(mut text: String, length: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(length) {
        text.truncate(end);
    }
    text
}

/// An error as the caller sees it.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    members: Map<String, Value>,
    retry_after: Option<u32>,
    source: Option<BoxError>,
}

/// The body of every error answer (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody<'a> {
    /// Identifies the kind of problem; its last part is `code`.
    #[serde(rename = "type")]
    #[schema(pattern = "^/problems/[a-z_]+$", example = "/problems/not_found")]
    kind: String,
    /// The HTTP status in words.
    #[schema(min_length = 1, max_length = 100, example = "Not Found")]
    title: &'a str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599, example = 404)]
    status: u16,
    /// What happened, for a person.
    #[schema(min_length = 1, max_length = 1000, example = "There is no such product.")]
    detail: &'a str,
    /// What happened, for a program; it never changes.
    #[schema(pattern = "^[a-z_]+$", example = "not_found")]
    code: &'a str,
    /// The members that are wrong, when the input was.
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    #[schema(max_items = 1000)]
    errors: &'a [FieldError],
    /// Quote it when you ask for help.
    #[schema(pattern = "^[A-Za-z0-9._-]{1,64}$", example = "0f8fad5bd9cb469fa16570867728950e")]
    correlation_id: &'a str,
    /// What the kind of problem adds, such as both totals of `price_changed`.
    #[serde(flatten)]
    #[schema(ignore)]
    members: &'a Map<String, Value>,
}

impl Problem {
    /// A refusal in other words than the code's own sentence. What is away (503) is asked again after a second.
    pub fn new(code: impl ErrorCode, detail: impl Into<Cow<'static, str>>) -> Self {
        let status = code.status();
        Self {
            status,
            code: code.as_str(),
            detail: detail.into(),
            errors: Vec::new(),
            members: Map::new(),
            retry_after: (status == StatusCode::SERVICE_UNAVAILABLE).then_some(1),
            source: None,
        }
    }

    /// 400 `invalid`: members of the input are wrong.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        Self { errors, ..Code::Invalid.into() }
    }

    /// 400 `invalid` for a single member.
    pub fn invalid_field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::new(field, message)])
    }

    /// The same under another code of its status, for programs that have to distinguish it.
    #[must_use]
    pub fn with_code(mut self, code: impl ErrorCode) -> Self {
        self.code = code.as_str();
        self
    }

    /// 400 `malformed`: the input cannot be read at all.
    pub fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::Malformed, detail)
    }

    /// 401: no token, or one that does not count.
    pub fn unauthorized(detail: &'static str) -> Self {
        Self::new(Code::Unauthorized, detail)
    }

    /// When to try again, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// 500: a bug. The source is logged, never shown.
    pub fn internal(source: impl Into<BoxError>) -> Self {
        Self::from(Code::Internal).caused_by(source)
    }

    /// Keeps the error behind this one for the log.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds an extension member to the body.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// The status it is answered with over HTTP; over gRPC a code that corresponds.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable name by which programs distinguish it.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What is wrong with the members of the input, one by one.
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    /// The error and its causes in one line, for a log.
    fn log(&self) {
        let source = self.source.as_deref().map(|source| error_chain(source)).unwrap_or_default();
        if self.status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(code = self.code, source, "{}", self.detail);
        } else if self.status.is_server_error() {
            tracing::warn!(code = self.code, source, "{}", self.detail);
        } else {
            tracing::debug!(code = self.code, source, "{}", self.detail);
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.log();
        let body = ProblemBody {
            kind: format!("/problems/{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code,
            errors: &self.errors,
            correlation_id: &context::current().correlation_id,
            members: &self.members,
        };
        let mut response = (self.status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<Problem> for tonic::Status {
    fn from(problem: Problem) -> Self {
        use tonic::Code as Rpc;
        problem.log();
        let code = match problem.status.as_u16() {
            400 => Rpc::InvalidArgument,
            401 => Rpc::Unauthenticated,
            403 => Rpc::PermissionDenied,
            404 => Rpc::NotFound,
            409 | 422 => Rpc::FailedPrecondition,
            429 => Rpc::ResourceExhausted,
            503 => Rpc::Unavailable,
            _ => Rpc::Internal,
        };
        Self::new(code, problem.detail)
    }
}

impl<C: ErrorCode> From<C> for Problem {
    /// A refusal in the code's own sentence.
    fn from(code: C) -> Self {
        let about = code.about();
        Self::new(code, about)
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        Arc::new(error).into()
    }
}

impl From<Arc<sqlx::Error>> for Problem {
    /// 503, unless a statement of ours can be blamed: that is a bug.
    fn from(error: Arc<sqlx::Error>) -> Self {
        if database::is_transient(&error) {
            return Self::from(Code::DatabaseUnavailable).caused_by(error);
        }
        Self::internal(error)
    }
}

impl From<redis::RedisError> for Problem {
    /// 503 with a Retry-After: Redis only carries, and comes back.
    fn from(error: redis::RedisError) -> Self {
        Self::from(Code::RedisUnavailable).caused_by(error)
    }
}
