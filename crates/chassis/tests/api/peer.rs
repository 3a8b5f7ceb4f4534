//! Calling other services.

use std::time::Duration;

use axum::http::StatusCode;
use chassis::{Lifecycle, grpc::Peer};
use secrecy::SecretString;
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

async fn ask(url: &str) -> Result<(), Code> {
    let lifecycle = Lifecycle::new();
    let peer = Peer::follow(url, &SecretString::from("secret"), &lifecycle).unwrap();
    let check = HealthCheckRequest::default();
    let answer = async { HealthClient::new(peer.channel()).check(check).await };
    let answer = tokio::time::timeout(Duration::from_secs(10), answer).await.expect("a call never hangs");
    answer.map(drop).map_err(|status| status.code())
}

#[tokio::test]
async fn a_peer_that_is_there_answers() {
    let kit = super::kit();
    let any = "127.0.0.1:0".parse().unwrap();
    let listener = chassis::http::bind(any, "the port").await.unwrap();
    let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let router = chassis::service::grpc_router(tonic::service::Routes::default(), &kit).await;
    let stop = kit.lifecycle.shutdown().cancelled_owned();
    kit.lifecycle.spawn("peer", chassis::http::serve(listener, router, stop));
    assert_eq!(ask(&url).await, Ok(()));
}

#[tokio::test]
async fn a_peer_that_is_not_there_is_unavailable_and_no_call_hangs() {
    assert_eq!(ask("http://127.0.0.1:1").await, Err(Code::Unavailable), "nobody listens");
    assert_eq!(ask("http://no-such-host.invalid:1").await, Err(Code::Unavailable), "nobody is called that");
}

#[test]
fn what_a_peer_s_silence_means_for_our_caller() {
    let problem = |code| chassis::Problem::from_peer(tonic::Status::new(code, ""), "away", "It is away.");
    assert_eq!(problem(Code::Unavailable).status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(problem(Code::DeadlineExceeded).status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(problem(Code::Internal).status(), StatusCode::INTERNAL_SERVER_ERROR);
}
