//! gRPC between the services: who may call (`require_secret`), and how to call ([`Peer`]).

mod peer;

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::header::AUTHORIZATION,
    middleware::Next,
    response::Response,
};
use secrecy::{ExposeSecret, SecretString};
use subtle::{Choice, ConstantTimeEq};
use tonic::{Code, Status};

pub use peer::{Caller, Peer, PeerChannel, Replicas};

use crate::{Common, ErrorCode, Problem, context, spans::Span};

/// Health checks are open to anybody: they reveal nothing, and the supervisor of the process has no secret.
const OPEN: [&str; 2] = ["/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"];

/// What callers may show: the internal secret, or the previous one while it is being replaced.
#[derive(Clone)]
pub(crate) struct Secrets(Arc<[SecretString]>);

impl Secrets {
    pub(crate) fn new(common: &Common) -> Self {
        let all = [Some(&common.internal_secret), common.internal_secret_previous.as_ref()];
        let header = |secret: &SecretString| SecretString::from(format!("Bearer {}", secret.expose_secret()));
        Self(all.into_iter().flatten().map(header).collect())
    }

    /// Compares with each in constant time.
    fn contain(&self, shown: &[u8]) -> bool {
        let is = |known: &SecretString| known.expose_secret().as_bytes().ct_eq(shown);
        self.0.iter().fold(Choice::from(0), |any, known| any | is(known)).into()
    }
}

/// Lets a call in that shows the internal secret, and continues its trace.
pub(crate) async fn require_secret(State(secrets): State<Secrets>, request: Request, next: Next) -> Response {
    let shown = request.headers().get(AUTHORIZATION).map_or(&b""[..], |value| value.as_bytes());
    if !secrets.contain(shown) && !OPEN.contains(&request.uri().path()) {
        return Status::unauthenticated("the internal secret is missing or wrong")
            .into_http::<axum::body::Body>();
    }
    let name = request.uri().path().trim_start_matches('/').to_owned();
    let mut span = Span::of_request(|| name, request.headers());
    span.set("rpc.system.name", "grpc");
    let response = context::scope(span.trace().clone(), next.run(request)).await;
    if Status::from_header_map(response.headers()).is_some_and(|status| is_fault(status.code())) {
        span.fail();
    }
    response
}

/// Whether a code says that the callee is at fault, and not the caller's question.
const fn is_fault(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}

impl Problem {
    /// What a failed call to another service means for our caller, unless the code has a meaning of its own:
    /// 503 if the peer is away, too slow or gone in the middle of it, else a bug.
    pub fn from_peer(status: Status, away: impl ErrorCode) -> Self {
        let is_away = matches!(
            status.code(),
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::ResourceExhausted
        );
        // A status that the peer sent has no source; one that stands for a broken connection has.
        if is_away || std::error::Error::source(&status).is_some() {
            Self::from(away).caused_by(status)
        } else {
            Self::internal(status)
        }
    }
}
