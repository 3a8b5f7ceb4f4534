//! `CartService`, as order-service calls it when somebody orders.

use contracts::grpc::cart::{
    CartItem, CartResponse, GetCartItemRequest, GetCartRequest, cart_service_client::CartServiceClient,
};
use tonic::Code;

use super::{TestApp, add, cart, content, shop};

fn whole(user: &str) -> GetCartRequest {
    GetCartRequest { user_id: user.to_owned() }
}

fn some(user: &str, product_ids: &[u64]) -> GetCartItemRequest {
    GetCartItemRequest { user_id: user.to_owned(), product_ids: product_ids.to_vec() }
}

async fn fill(app: &TestApp) {
    let ani = app.customer(7);
    add(&ani, 2, 3).await;
    add(&ani, 1, 1).await;
}

fn mouse() -> CartItem {
    CartItem { product_id: 2, name: "Mouse".to_owned(), price: 150_000, quantity: 3 }
}

fn keyboard() -> CartItem {
    CartItem { product_id: 1, name: "Keyboard".to_owned(), price: 450_000, quantity: 1 }
}

#[tokio::test]
async fn a_whole_cart_is_read_with_the_prices_when_added() {
    let (app, catalogue) = shop().await;
    fill(&app).await;
    catalogue.sells(2, "Mouse", 1, 10);
    let mut client = CartServiceClient::new(app.grpc_channel());
    let found = client.get_user_cart(whole("7")).await.unwrap().into_inner();
    let items = vec![mouse(), keyboard()];
    let read_at = found.read_at;
    assert!(read_at > 1_600_000_000_000_000, "microseconds: {read_at}");
    assert_eq!(found, CartResponse { user_id: "7".to_owned(), items, total_price: 900_000, read_at });
    let empty = client.get_user_cart(whole("8")).await.unwrap().into_inner();
    assert_eq!((empty.items.len(), empty.total_price), (0, 0));
}

#[tokio::test]
async fn some_lines_are_read_and_those_that_are_not_there_left_out() {
    let (app, _catalogue) = shop().await;
    fill(&app).await;
    let mut client = CartServiceClient::new(app.grpc_channel());
    let found = client.get_cart_items(some("7", &[99, 1])).await.unwrap().into_inner();
    assert_eq!((found.items, found.total_price), (vec![keyboard()], 450_000));
    let none = client.get_cart_items(some("7", &[])).await.unwrap().into_inner();
    assert_eq!(none.items, []);
}

#[tokio::test]
async fn lines_and_carts_are_taken_out() {
    let (app, _catalogue) = shop().await;
    fill(&app).await;
    let (ani, mut client) = (app.customer(7), CartServiceClient::new(app.grpc_channel()));
    client.remove_cart_items(some("7", &[])).await.unwrap();
    client.remove_cart_items(some("7", &[2, 99])).await.unwrap();
    assert_eq!(content(&cart(&ani).await), [(1, 1)]);
    client.clear_user_cart(whole("7")).await.unwrap();
    client.clear_user_cart(whole("7")).await.unwrap();
    assert_eq!(content(&cart(&ani).await), []);
}

#[tokio::test]
async fn ids_are_checked() {
    let (app, _catalogue) = shop().await;
    fill(&app).await;
    let mut client = CartServiceClient::new(app.grpc_channel());
    for user in ["", "0", "-7", "ani", "9223372036854775808"] {
        assert_eq!(
            client.get_user_cart(whole(user)).await.unwrap_err().code(),
            Code::InvalidArgument,
            "{user}"
        );
        assert_eq!(
            client.clear_user_cart(whole(user)).await.unwrap_err().code(),
            Code::InvalidArgument,
            "{user}"
        );
    }
    for ids in [[1, 0], [1, u64::MAX]] {
        let code = client.remove_cart_items(some("7", &ids)).await.unwrap_err().code();
        assert_eq!(code, Code::InvalidArgument);
        assert_eq!(client.get_cart_items(some("7", &ids)).await.unwrap_err().code(), Code::InvalidArgument);
    }
    assert_eq!(content(&cart(&app.customer(7)).await), [(2, 3), (1, 1)]);
}

#[tokio::test]
async fn only_our_own_services_may_call() {
    let (app, _catalogue) = shop().await;
    fill(&app).await;
    let mut stranger = CartServiceClient::new(app.grpc_channel_with("wrong"));
    let codes = [
        stranger.get_user_cart(whole("7")).await.unwrap_err().code(),
        stranger.clear_user_cart(whole("7")).await.unwrap_err().code(),
        stranger.get_cart_items(some("7", &[1])).await.unwrap_err().code(),
        stranger.remove_cart_items(some("7", &[1])).await.unwrap_err().code(),
    ];
    assert_eq!(codes, [Code::Unauthenticated; 4]);
    assert_eq!(content(&cart(&app.customer(7)).await), [(2, 3), (1, 1)]);
}
