//! A gRPC client that spreads its calls over all replicas of a service, and follows them as they come and go: a plain
//! tonic channel resolves its name once.

use std::{
    collections::BTreeSet,
    error::Error,
    future::Future,
    io,
    net::SocketAddr,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::to_bytes,
    http::{Request as HttpRequest, Response as HttpResponse, Uri},
};
use futures::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::mpsc::Sender;
use tonic::{
    ConnectError, Request, Status,
    body::Body,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint, channel::Change},
};
use tower::{Service, ServiceExt};

use crate::{BoxError, Lifecycle, context, problem::chain};

/// How often the name is looked up.
const LOOK_UP: Duration = Duration::from_secs(2);
/// How long connecting to a replica may take.
const CONNECT: Duration = Duration::from_secs(1);
/// How often a connection is asked whether the other end lives.
const PING: Duration = Duration::from_secs(5);
/// How long a call may take, in all.
const DEADLINE: Duration = Duration::from_secs(2);
/// How often a call is offered to replicas that cannot be reached.
const OFFERS: usize = 8;

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

    /// The same with a way of one's own to learn the addresses of the replicas.
    ///
    /// # Errors
    /// If the URL is none, or the secret cannot be sent as a header.
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
        let (channel, changes) = Channel::balance_channel(16);
        // Without a replica a call would wait for one until its deadline: until the first look-up answers, the name
        // itself stands in.
        changes.try_send(Change::Insert(None, endpoint(url)?))?;
        let (name, shutdown) = (url.to_owned(), lifecycle.shutdown());
        lifecycle.spawn("grpc-peer", async move {
            let mut known = BTreeSet::new();
            while !shutdown.is_cancelled() {
                // A name that does not resolve at the moment changes nothing.
                match look_up().await {
                    Ok(found) => update(&name, &mut known, found, &changes).await,
                    Err(error) => {
                        tracing::debug!(
                            peer = name,
                            error = chain(&error),
                            "the peer's name does not resolve"
                        );
                    }
                }
                shutdown.run_until_cancelled(tokio::time::sleep(LOOK_UP)).await;
            }
        });
        Ok(Self { channel: InterceptedService::new(Replicas { channel }, Caller { secret }) })
    }

    /// A channel to any replica; cheap to make.
    pub fn channel(&self) -> PeerChannel {
        self.channel.clone()
    }
}

/// Tells the channel which replicas came and went.
async fn update(
    name: &str,
    known: &mut BTreeSet<SocketAddr>,
    found: BTreeSet<SocketAddr>,
    changes: &Sender<Change<Option<SocketAddr>, Endpoint>>,
) {
    let gone = known.difference(&found).map(|gone| Change::Remove(Some(*gone)));
    let stand_in = (known.is_empty() && !found.is_empty()).then_some(Change::Remove(None));
    let new = found.difference(known).filter_map(|new| {
        let made = endpoint(&format!("http://{new}"));
        let made =
            made.inspect_err(|error| tracing::error!(peer = name, error = chain(error), "not an address"));
        Some(Change::Insert(Some(*new), made.ok()?))
    });
    for change in new.chain(gone).chain(stand_in) {
        let _closing = changes.send(change).await;
    }
    *known = found;
}

fn endpoint(url: &str) -> Result<Endpoint, tonic::transport::Error> {
    let endpoint = Endpoint::from_shared(url.to_owned())?.connect_timeout(CONNECT).tcp_nodelay(true);
    Ok(endpoint.http2_keep_alive_interval(PING).keep_alive_timeout(CONNECT).keep_alive_while_idle(true))
}

/// Gives a call to one replica, and to another if that one cannot be reached: it has not seen the call, which is
/// therefore still made once. For calls of one message, as all of ours are: it is kept until a replica has it.
#[derive(Debug, Clone)]
pub struct Replicas {
    channel: Channel,
}

impl Service<HttpRequest<Body>> for Replicas {
    type Response = HttpResponse<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest<Body>) -> Self::Future {
        let channel = self.channel.clone();
        Box::pin(async move {
            let answer = tokio::time::timeout(DEADLINE, offer(channel, request)).await;
            answer.unwrap_or_else(|_late| Ok(Status::deadline_exceeded("no answer in time").into_http()))
        })
    }
}

async fn offer(mut channel: Channel, request: HttpRequest<Body>) -> Result<HttpResponse<Body>, BoxError> {
    let (parts, body) = request.into_parts();
    let message = to_bytes(axum::body::Body::new(body), usize::MAX).await?;
    let mut offers = 1;
    loop {
        let body = Body::new(axum::body::Body::from(message.clone()));
        match channel.ready().await?.call(HttpRequest::from_parts(parts.clone(), body)).await {
            Err(error) if offers < OFFERS && is_unsent(&error) => offers += 1,
            answer => return Ok(answer?),
        }
    }
}

/// Whether a call failed before it left.
fn is_unsent(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |&error| error.source()).any(<dyn Error>::is::<ConnectError>)
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
