//! Calling other services: deadlines, replicas that come and go, and what is tried elsewhere.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{extract::Request, http::StatusCode, middleware};
use chassis::{Lifecycle, ServiceContext, grpc::Peer};
use secrecy::SecretString;
use testkit::{Proxy, Upstream};
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

/// One of several processes of a service, which counts its calls.
struct Replica {
    address: SocketAddr,
    calls: Arc<AtomicUsize>,
    stop: CancellationToken,
    served: tokio::sync::oneshot::Receiver<()>,
}

impl Replica {
    async fn start(context: &ServiceContext) -> Self {
        let listener = chassis::http::bind("127.0.0.1:0".parse().unwrap(), "the port").unwrap();
        let (address, calls, stop) =
            (listener.local_addr().unwrap(), Arc::<AtomicUsize>::default(), CancellationToken::new());
        let counter = calls.clone();
        let count = middleware::from_fn(move |request: Request, next: middleware::Next| {
            counter.fetch_add(1, Ordering::Relaxed);
            next.run(request)
        });
        let routes = chassis::service::grpc_router(tonic::service::Routes::default(), context).await;
        let serving = chassis::http::serve(listener, routes.layer(count), stop.clone().cancelled_owned());
        let (ended, served) = tokio::sync::oneshot::channel();
        context.lifecycle.spawn("replica", async move {
            serving.await;
            let _nobody_waits = ended.send(());
        });
        Self { address, calls, stop, served }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// Ends the process: from then on nobody listens at its address.
    async fn end(self) {
        self.stop.cancel();
        self.served.await.unwrap();
    }
}

/// The addresses that a name stands for, to be changed while a peer follows it.
#[derive(Clone, Default)]
struct Name(Arc<Mutex<BTreeSet<SocketAddr>>>);

impl Name {
    fn of(replicas: &[&Replica]) -> Self {
        let name = Self::default();
        name.stands_for(replicas);
        name
    }

    fn stands_for(&self, replicas: &[&Replica]) {
        self.stands_for_addresses(replicas.iter().map(|replica| replica.address));
    }

    fn stands_for_addresses(&self, addresses: impl IntoIterator<Item = SocketAddr>) {
        *self.0.lock().unwrap() = addresses.into_iter().collect();
    }

    fn follow(&self, lifecycle: &Lifecycle) -> Peer {
        let name = self.clone();
        let look_up = move || std::future::ready(Ok(name.0.lock().unwrap().clone()));
        let secret = SecretString::from("secret");
        Peer::follow_by("http://name.invalid:1", &secret, lifecycle, look_up).unwrap()
    }
}

async fn call(peer: &Peer) -> Result<(), Code> {
    let answer = async { HealthClient::new(peer.channel()).check(HealthCheckRequest::default()).await };
    let answer = tokio::time::timeout(Duration::from_secs(10), answer).await.expect("a call never hangs");
    answer.map(drop).map_err(|status| status.code())
}

/// Calls until every one of these was called once more.
async fn call_until_all_served(peer: &Peer, replicas: &[&Replica]) {
    let before: Vec<usize> = replicas.iter().map(|replica| replica.calls()).collect();
    testkit::eventually("all replicas are called", async || {
        call(peer).await.expect("no call fails");
        replicas.iter().zip(&before).all(|(replica, before)| replica.calls() > *before).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_peer_that_is_there_answers() {
    let context = super::context();
    let replica = Replica::start(&context).await;
    let url = format!("http://localhost:{}", replica.address.port());
    let peer = Peer::follow(&url, &SecretString::from("secret"), &context.lifecycle).unwrap();
    assert_eq!(call(&peer).await, Ok(()));
}

#[tokio::test]
async fn a_peer_that_is_not_there_is_unavailable_and_no_call_hangs() {
    let lifecycle = Lifecycle::new();
    for nowhere in ["http://127.0.0.1:1", "http://no-such-host.invalid:1"] {
        let peer = Peer::follow(nowhere, &SecretString::from("secret"), &lifecycle).unwrap();
        assert_eq!(call(&peer).await, Err(Code::Unavailable), "{nowhere}");
    }
}

#[tokio::test]
async fn replicas_share_the_calls_as_they_come_and_go() {
    let context = super::context();
    let (first, second) = (Replica::start(&context).await, Replica::start(&context).await);
    let name = Name::of(&[&first, &second]);
    let peer = name.follow(&context.lifecycle);
    call_until_all_served(&peer, &[&first, &second]).await;

    let third = Replica::start(&context).await;
    name.stands_for(&[&first, &second, &third]);
    call_until_all_served(&peer, &[&first, &second, &third]).await;

    name.stands_for(&[&second, &third]);
    testkit::eventually("the first is left alone", async || {
        let before = first.calls();
        for _ in 0..50 {
            call(&peer).await.expect("no call fails");
        }
        (first.calls() == before).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_end_of_a_replica_costs_no_call_even_while_the_name_stands_for_it() {
    let context = super::context();
    let (first, second) = (Replica::start(&context).await, Replica::start(&context).await);
    let peer = Name::of(&[&first, &second]).follow(&context.lifecycle);
    call_until_all_served(&peer, &[&first, &second]).await;

    let ended = AtomicUsize::default();
    let caller = async || {
        while ended.load(Ordering::Relaxed) == 0 {
            call(&peer).await.expect("no call fails while a replica ends");
        }
        for _ in 0..100 {
            call(&peer).await.expect("no call fails once it has ended");
        }
    };
    let end = async {
        first.end().await;
        ended.store(1, Ordering::Relaxed);
    };
    tokio::join!(caller(), caller(), caller(), caller(), end);
}

#[tokio::test]
async fn a_replica_that_accepts_calls_and_never_answers_gets_no_more_of_them_until_it_does() {
    let context = super::context();
    let (first, second) = (Replica::start(&context).await, Replica::start(&context).await);
    let network = Proxy::to(Upstream::Port(second.address.port())).await.unwrap();
    let name = Name::default();
    name.stands_for_addresses([first.address, SocketAddr::from(([127, 0, 0, 1], network.port()))]);
    let peer = name.follow(&context.lifecycle);
    call_until_all_served(&peer, &[&first, &second]).await;

    network.silence_all();
    let mut unanswered = 0;
    for _ in 0..200 {
        unanswered += usize::from(call(&peer).await.is_err());
    }
    assert_eq!(unanswered, 1, "the one call that it had");
    // Longer than any ping takes: it is not taken back for a connection that can be made.
    let frozen_at = Instant::now();
    while frozen_at.elapsed() < Duration::from_secs(8) {
        call(&peer).await.expect("no call goes to it");
    }

    network.heal();
    call_until_all_served(&peer, &[&first, &second]).await;
}

#[tokio::test]
async fn while_no_replica_answers_all_are_tried_and_the_first_that_does_is_used() {
    let context = super::context();
    let only = Replica::start(&context).await;
    let network = Proxy::to(Upstream::Port(only.address.port())).await.unwrap();
    let name = Name::default();
    name.stands_for_addresses([SocketAddr::from(([127, 0, 0, 1], network.port()))]);
    let peer = name.follow(&context.lifecycle);
    call_until_all_served(&peer, &[&only]).await;
    network.silence_all();
    for _ in 0..2 {
        let code = call(&peer).await.unwrap_err();
        assert!([Code::DeadlineExceeded, Code::Cancelled].contains(&code), "{code:?}");
    }
    network.heal();
    testkit::eventually("an answer", async || call(&peer).await.ok()).await;
}

#[tokio::test]
async fn replicas_that_all_ended_are_unavailable_in_time() {
    let context = super::context();
    let (first, second) = (Replica::start(&context).await, Replica::start(&context).await);
    let peer = Name::of(&[&first, &second]).follow(&context.lifecycle);
    call_until_all_served(&peer, &[&first, &second]).await;
    first.end().await;
    second.end().await;
    assert_eq!(call(&peer).await, Err(Code::Unavailable));
}

#[test]
fn what_a_peer_s_silence_means_for_our_caller() {
    let problem =
        |code| chassis::Problem::from_peer(tonic::Status::new(code, ""), chassis::Code::UpstreamUnavailable);
    assert_eq!(problem(Code::Unavailable).status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(problem(Code::DeadlineExceeded).status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(problem(Code::Internal).status(), StatusCode::INTERNAL_SERVER_ERROR);
}
