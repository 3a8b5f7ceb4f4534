//! gRPC between the services: who may call (`require_secret`), and how to call ([`Peer`]).

mod peer;

use axum::{
    extract::{Request, State},
    http::header::AUTHORIZATION,
    middleware::Next,
    response::{IntoResponse, Response},
};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use tonic::Status;

pub use peer::{Peer, PeerChannel};

use crate::{
    Problem,
    context::{self, Trace},
};

/// Health checks are open to anybody: they say nothing, and whoever supervises the process has no secret.
const OPEN: &str = "/grpc.health.v1.Health/";

/// Lets a call in that shows the internal secret, and continues its trace.
pub(crate) async fn require_secret(
    State(secret): State<SecretString>,
    request: Request,
    next: Next,
) -> Response {
    let expected = format!("Bearer {}", secret.expose_secret());
    let shown = request.headers().get(AUTHORIZATION).map_or(&b""[..], |value| value.as_bytes());
    let known: bool = shown.ct_eq(expected.as_bytes()).into();
    if !known && !request.uri().path().starts_with(OPEN) {
        return Status::unauthenticated("the internal secret is missing or wrong")
            .into_http::<axum::body::Body>();
    }
    context::scope(Trace::from_headers(request.headers()), next.run(request)).await.into_response()
}

impl Problem {
    /// What a failed call to another service means for our caller, unless the code has a meaning of its own:
    /// 503 if the peer is away, too slow or gone in the middle of it, else a bug.
    pub fn from_peer(status: Status, code: &'static str, detail: &'static str) -> Self {
        use tonic::Code;
        match status.code() {
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::ResourceExhausted => {
                Self::unavailable(code, detail).caused_by(status)
            }
            // A status that the peer sent has no source; one that stands for a broken connection has.
            _ if std::error::Error::source(&status).is_some() => {
                Self::unavailable(code, detail).caused_by(status)
            }
            _ => Self::internal(status),
        }
    }
}
