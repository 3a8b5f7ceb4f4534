//! Who may call whom: every method that `proto/` has, at the process that answers it.

use contracts::grpc::DESCRIPTORS;
use prost::Message;
use prost_types::FileDescriptorSet;
use stack::shop::{Service, Shop};
use tonic::{
    Code, Request, Status,
    client::Grpc,
    codegen::http::uri::PathAndQuery,
    transport::{Channel, Endpoint},
};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_prost::ProstCodec;

#[tokio::test]
async fn no_method_answers_without_the_internal_secret_and_health_answers_anybody() {
    let mut shop = crate::harness::open().await;
    let right = format!("Bearer {}", shop.settings().get("INTERNAL_SECRET"));
    let wrong = [String::new(), "Bearer ".to_owned(), "Bearer wrong".to_owned(), format!("{right}x")];
    let mut asked = 0;
    for file in FileDescriptorSet::decode(DESCRIPTORS).unwrap().file {
        let channel = connect(&shop, file.package()).await;
        assert!(is_healthy(&channel).await, "{}", file.package());
        for (service, method) in file.service.iter().flat_map(|s| s.method.iter().map(move |m| (s, m))) {
            let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
            assert_eq!(
                refusal(&channel, &path, None).await,
                Code::Unauthenticated,
                "{path} without a secret"
            );
            for wrong in &wrong {
                let code = refusal(&channel, &path, Some(wrong)).await;
                assert_eq!(code, Code::Unauthenticated, "{path} with {wrong:?}");
            }
            let answer =
                call(&channel, &path, Some(&right)).await.map_or_else(|status| status.code(), |()| Code::Ok);
            assert!(![Code::Unauthenticated, Code::Unimplemented].contains(&answer), "{path}: {answer:?}");
            asked += 1;
        }
    }
    assert!(asked > 0);
    shop.stop().await.unwrap();
}

/// A connection to the service whose package this is.
async fn connect(shop: &Shop, package: &str) -> Channel {
    let name = format!("{package}-service");
    let service = Service::SIX.into_iter().find(|service| service.name() == name).unwrap();
    Endpoint::new(shop.grpc_url(service)).unwrap().connect().await.unwrap()
}

async fn is_healthy(channel: &Channel) -> bool {
    let answer = HealthClient::new(channel.clone()).check(HealthCheckRequest::default()).await.unwrap();
    answer.into_inner().status() == ServingStatus::Serving
}

async fn refusal(channel: &Channel, path: &str, secret: Option<&str>) -> Code {
    call(channel, path, secret).await.unwrap_err().code()
}

/// Calls a method with an empty message, which every message type can be.
async fn call(channel: &Channel, path: &str, secret: Option<&str>) -> Result<(), Status> {
    let mut request = Request::new(());
    if let Some(secret) = secret {
        request.metadata_mut().insert("authorization", secret.parse().unwrap());
    }
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await.unwrap();
    let path: PathAndQuery = path.parse().unwrap();
    grpc.unary(request, path, ProstCodec::<(), ()>::default()).await.map(drop)
}
