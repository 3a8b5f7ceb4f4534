//! A gRPC client that spreads its calls over all replicas of a service, and follows them as they come and go: a plain
//! tonic channel resolves its name once.

use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

use axum::http::Uri;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::mpsc::Sender;
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint, channel::Change},
};

use crate::{BoxError, Lifecycle, context, problem::chain};

/// How often the name is looked up.
const LOOK_UP: Duration = Duration::from_secs(2);
/// How long connecting to a replica may take.
const CONNECT: Duration = Duration::from_secs(1);
/// How long a call may take, in all.
const DEADLINE: Duration = Duration::from_secs(2);

/// What a generated client is made from: `CartServiceClient::new(peer.channel())`.
pub type PeerChannel = InterceptedService<Channel, Caller>;

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
        let mut secret: MetadataValue<Ascii> = format!("Bearer {}", secret.expose_secret()).parse()?;
        secret.set_sensitive(true);
        let (channel, changes) = Channel::balance_channel(16);
        // Without a replica a call would wait for one beyond its deadline: until the first look-up answers, the name
        // itself stands in.
        changes.try_send(Change::Insert(None, endpoint(url)?))?;
        let (authority, shutdown) = (url.to_owned(), lifecycle.shutdown());
        lifecycle.spawn("grpc-peer", async move {
            let mut known = BTreeSet::new();
            while !shutdown.is_cancelled() {
                update(&authority, &host, port, &mut known, &changes).await;
                tokio::select! {
                    () = tokio::time::sleep(LOOK_UP) => {}
                    () = shutdown.cancelled() => {}
                }
            }
        });
        Ok(Self { channel: InterceptedService::new(channel, Caller { secret }) })
    }

    /// A channel to any replica; cheap to make.
    pub fn channel(&self) -> PeerChannel {
        self.channel.clone()
    }
}

/// Looks the name up and tells the channel which replicas came and went. A name that does not resolve at the moment
/// changes nothing.
async fn update(
    url: &str,
    host: &str,
    port: u16,
    known: &mut BTreeSet<SocketAddr>,
    changes: &Sender<Change<Option<SocketAddr>, Endpoint>>,
) {
    let found: BTreeSet<SocketAddr> = match tokio::net::lookup_host((host, port)).await {
        Ok(found) => found.collect(),
        Err(error) => {
            tracing::debug!(peer = url, error = chain(&error), "the peer's name does not resolve");
            return;
        }
    };
    let gone = known.difference(&found).map(|gone| Change::Remove(Some(*gone)));
    let stand_in = (known.is_empty() && !found.is_empty()).then_some(Change::Remove(None));
    let new = found.difference(known).filter_map(|new| {
        let made = endpoint(&format!("http://{new}"));
        let made =
            made.inspect_err(|error| tracing::error!(peer = url, error = chain(error), "not an address"));
        Some(Change::Insert(Some(*new), made.ok()?))
    });
    for change in new.chain(gone).chain(stand_in) {
        let _closing = changes.send(change).await;
    }
    *known = found;
}

fn endpoint(url: &str) -> Result<Endpoint, tonic::transport::Error> {
    let endpoint = Endpoint::from_shared(url.to_owned())?;
    Ok(endpoint.connect_timeout(CONNECT).timeout(DEADLINE).tcp_nodelay(true))
}

/// Adds to every call what the callee asks for: the secret, the trace, a deadline.
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
