//! `UserService`, as notification-service calls it.

use contracts::grpc::user::{GetContactRequest, GetContactResponse, user_service_client::UserServiceClient};
use serde_json::json;
use tonic::Code;

use super::{Shop, email, join, register};

fn of(user_id: u64) -> GetContactRequest {
    GetContactRequest { user_id }
}

#[tokio::test]
async fn somebody_is_reached_by_name_email_and_the_telephone_of_the_default_address() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    let id = ani.actor.get("/api/v1/auth/profile").await.expect(200)["id"].as_u64().unwrap();
    let mut client = UserServiceClient::new(shop.grpc_channel());
    let contact = client.get_contact(of(id)).await.unwrap().into_inner();
    let expected = GetContactResponse { name: "ani".into(), email: email("ani"), phone: String::new() };
    assert_eq!(contact, expected);

    let address = json!({ "recipient": "Ani", "phone": "+62 811 2345 678", "street": "Jl. Mawar 1", "city": "Bandung",
        "postal_code": "40111", "country": "ID", "is_default": true });
    ani.actor.post("/api/v1/auth/addresses", address).await.expect(201);
    let contact = client.get_contact(of(id)).await.unwrap().into_inner();
    assert_eq!(contact, GetContactResponse { phone: "+62 811 2345 678".into(), ..expected });
}

#[tokio::test]
async fn nobody_else_is_told_and_an_account_that_is_not_there_is_not_found() {
    let shop = Shop::start().await;
    let id = register(&shop, "ani").await["id"].as_u64().unwrap();
    let mut client = UserServiceClient::new(shop.grpc_channel());
    assert_eq!(client.get_contact(of(id + 1_000)).await.unwrap_err().code(), Code::NotFound);
    for bad in [0, u64::MAX] {
        assert_eq!(client.get_contact(of(bad)).await.unwrap_err().code(), Code::InvalidArgument);
    }
    let mut stranger = UserServiceClient::new(shop.grpc_channel_with("wrong"));
    assert_eq!(stranger.get_contact(of(id)).await.unwrap_err().code(), Code::Unauthenticated);
}
