//! Which replica gets a call. One that leaves a call unanswered is passed over until it answers a health check: a process
//! that is frozen still accepts connections, so an open connection proves nothing.

use std::{
    collections::BTreeSet,
    error::Error,
    net::SocketAddr,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::to_bytes,
    http::{Request as HttpRequest, Response as HttpResponse},
};
use futures::future::{BoxFuture, join_all};
use tokio::{
    sync::SetOnce,
    time::{Instant, timeout, timeout_at},
};
use tonic::{
    ConnectError, Status,
    body::Body,
    transport::{self, Channel, Endpoint},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tower::{Service, ServiceExt};

use super::DEADLINE;
use crate::{BoxError, error_chain, failpoint};

/// How long connecting to a replica may take.
const CONNECT: Duration = Duration::from_secs(1);
/// How often a connection is asked whether the other end lives.
const PING: Duration = Duration::from_secs(5);
/// How long a health check may take.
const CHECK: Duration = Duration::from_secs(1);

/// All replicas of a service. Gives a call to one of them, and to another if that one cannot be reached: it has not seen
/// the call, which is therefore still made once. For calls of one message, as all of ours are: it is kept until a replica
/// has it.
#[derive(Debug, Clone, Default)]
pub struct Replicas {
    known: Arc<RwLock<Vec<Arc<Replica>>>>,
    /// Counts the calls, so that the replicas take turns.
    turn: Arc<AtomicUsize>,
    /// Set once the name was looked up, whatever the outcome: the first calls wait for that.
    looked_up: Arc<SetOnce<()>>,
}

#[derive(Debug)]
struct Replica {
    address: SocketAddr,
    channel: Channel,
    /// Whether it has left something unanswered, and nothing was answered since.
    ejected: AtomicBool,
}

impl Replicas {
    /// Keeps those that are among the addresses, and adds those that are new. No address at all changes nothing.
    pub(super) fn update(&self, found: &BTreeSet<SocketAddr>) {
        if !found.is_empty() {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            known.retain(|replica| found.contains(&replica.address));
            let old: BTreeSet<_> = known.iter().map(|replica| replica.address).collect();
            for address in found.difference(&old) {
                match Replica::new(*address) {
                    Ok(replica) => known.push(Arc::new(replica)),
                    Err(error) => tracing::error!(%address, error = error_chain(&error), "not an address"),
                }
            }
        }
        let _not_the_first = self.looked_up.set(());
    }

    /// Asks those that were ejected whether they answer again.
    pub(super) async fn check_ejected(&self) {
        let ejected = self.in_turn().into_iter().filter(|replica| replica.is_ejected());
        join_all(ejected.map(async |replica| replica.check().await)).await;
    }

    /// All of them, beginning with the next one, those that were ejected last.
    fn in_turn(&self) -> Vec<Arc<Replica>> {
        let mut replicas = self.known.read().unwrap_or_else(PoisonError::into_inner).clone();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed).checked_rem(replicas.len());
        replicas.rotate_left(turn.unwrap_or_default());
        replicas.sort_by_key(|replica| replica.is_ejected());
        replicas
    }
}

impl Replica {
    fn new(address: SocketAddr) -> Result<Self, transport::Error> {
        let url = format!("http://{address}");
        let endpoint = Endpoint::from_shared(url)?.connect_timeout(CONNECT).tcp_nodelay(true);
        let endpoint = endpoint.http2_keep_alive_interval(PING).keep_alive_timeout(CONNECT);
        let channel = endpoint.keep_alive_while_idle(true).connect_lazy();
        Ok(Self { address, channel, ejected: AtomicBool::new(false) })
    }

    fn is_ejected(&self) -> bool {
        self.ejected.load(Ordering::Relaxed)
    }

    fn eject(&self) {
        if !self.ejected.swap(true, Ordering::Relaxed) {
            tracing::warn!(replica = %self.address,
                "did not answer a call: the others get the calls until it answers"
            );
        }
    }

    async fn call(&self, request: HttpRequest<Body>) -> Result<HttpResponse<Body>, transport::Error> {
        self.channel.clone().ready().await?.call(request).await
    }

    /// Any answer is one: a service without health checks lives as well.
    async fn check(&self) {
        let mut client = HealthClient::new(self.channel.clone());
        let answer = match timeout(CHECK, client.check(HealthCheckRequest::default())).await {
            Ok(Ok(_)) => true,
            // A status that the replica sent has no source; one that stands for a broken connection has.
            Ok(Err(status)) => status.source().is_none(),
            Err(_) => false,
        };
        if answer && self.ejected.swap(false, Ordering::Relaxed) {
            tracing::info!(replica = %self.address, "answers again");
        }
    }
}

impl Service<HttpRequest<Body>> for Replicas {
    type Response = HttpResponse<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest<Body>) -> Self::Future {
        Box::pin(offer(self.clone(), request))
    }
}

/// Offers a call to replicas until one has it.
async fn offer(replicas: Replicas, request: HttpRequest<Body>) -> Result<HttpResponse<Body>, BoxError> {
    let deadline = Instant::now() + DEADLINE;
    let _nowhere = timeout_at(deadline, replicas.looked_up.wait()).await;
    let (parts, body) = request.into_parts();
    let message = to_bytes(axum::body::Body::new(body), usize::MAX).await?;
    let mut outcome = Ok(Status::unavailable("there is no replica").into_http());
    for replica in replicas.in_turn() {
        let body = Body::new(axum::body::Body::from(message.clone()));
        let request = HttpRequest::from_parts(parts.clone(), body);
        let calling = failpoint::around("calling", parts.uri.path(), replica.call(request));
        match timeout_at(deadline, calling).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => {
                replica.eject();
                let sent = !is_unsent(&error);
                outcome = Err(error.into());
                if sent {
                    break;
                }
            }
            Err(_late) => {
                replica.eject();
                return Ok(Status::deadline_exceeded("no answer in time").into_http());
            }
        }
    }
    outcome
}

/// Whether a call failed before it left.
fn is_unsent(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |&error| error.source()).any(<dyn Error>::is::<ConnectError>)
}
