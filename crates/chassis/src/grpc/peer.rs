//! A gRPC client that spreads its calls over all replicas of a service, and follows them as they come and go: a plain
//! tonic channel resolves its name once.

mod replicas;

use std::{collections::BTreeSet, future::Future, io, net::SocketAddr, time::Duration};

use axum::http::Uri;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::sleep;
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
};

pub use replicas::Replicas;

use crate::{BoxError, Lifecycle, context, error_chain};

/// How often the name is looked up.
const LOOK_UP: Duration = Duration::from_secs(2);
/// How often replicas that have left a call unanswered are asked whether they answer again.
const RECOVERY: Duration = Duration::from_millis(500);
/// How long a call may take, in all.
const DEADLINE: Duration = Duration::from_secs(2);

/// What a generated client is made from: `CartServiceClient::new(peer.channel())`.
pub type PeerChannel = InterceptedService<Replicas, Caller>;

/// Another service of this shop, with all its replicas.
#[derive(Debug, Clone)]
pub struct Peer {
    channel: PeerChannel,
}

impl Peer {
    /// Starts to follow a service. Nothing is connected before the first call.
    ///
    /// # Errors
    /// If the URL has no host or port, or the secret cannot be sent as a header.
    pub fn follow(url: &str, secret: &SecretString, lifecycle: &Lifecycle) -> Result<Self, BoxError> {
        let uri: Uri = url.parse()?;
        let host = uri.host().ok_or_else(|| format!("{url} has no host"))?.to_owned();
        let port = uri.port_u16().ok_or_else(|| format!("{url} has no port"))?;
        Self::follow_by(url, secret, lifecycle, move || {
            let host = host.clone();
            async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) }
        })
    }

    /// The same, with another way to look up the addresses of the replicas.
    ///
    /// # Errors
    /// If the secret cannot be sent as a header.
    pub fn follow_by<F, R>(
        url: &str,
        secret: &SecretString,
        lifecycle: &Lifecycle,
        look_up: F,
    ) -> Result<Self, BoxError>
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = io::Result<BTreeSet<SocketAddr>>> + Send,
    {
        let mut secret: MetadataValue<Ascii> = format!("Bearer {}", secret.expose_secret()).parse()?;
        secret.set_sensitive(true);
        let replicas = Replicas::default();
        let (name, followed, shutdown) = (url.to_owned(), replicas.clone(), lifecycle.shutdown());
        lifecycle.spawn("grpc-peer", async move {
            while !shutdown.is_cancelled() {
                let found = look_up().await.unwrap_or_else(|error| {
                    tracing::debug!(
                        peer = name,
                        error = error_chain(&error),
                        "the peer's name does not resolve"
                    );
                    BTreeSet::new()
                });
                followed.update(&found);
                shutdown.run_until_cancelled(sleep(LOOK_UP)).await;
            }
        });
        let (ejecting, shutdown) = (replicas.clone(), lifecycle.shutdown());
        lifecycle.spawn("grpc-peer-recovery", async move {
            while !shutdown.is_cancelled() {
                ejecting.check_ejected().await;
                shutdown.run_until_cancelled(sleep(RECOVERY)).await;
            }
        });
        Ok(Self { channel: InterceptedService::new(replicas, Caller { secret }) })
    }

    /// A channel to any replica; cheap to make.
    pub fn channel(&self) -> PeerChannel {
        self.channel.clone()
    }
}

/// Adds to every call what the callee requires: the secret, the trace, a deadline.
#[derive(Debug, Clone)]
pub struct Caller {
    secret: MetadataValue<Ascii>,
}

impl Interceptor for Caller {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let trace = context::current();
        request.set_timeout(DEADLINE);
        let metadata = request.metadata_mut();
        metadata.insert("authorization", self.secret.clone());
        for (name, value) in
            [(context::CORRELATION_ID, trace.correlation_id), (context::TRACEPARENT, trace.traceparent)]
        {
            if let Ok(value) = value.parse() {
                metadata.insert(name, value);
            }
        }
        Ok(request)
    }
}
