//! What other services call: `GetProduct`, `GetProducts` and `UpdateStock` over gRPC.

use chassis::grpc::PeerChannel;
use contracts::{
    events::CancelCause,
    grpc::product::{
        GetProductRequest, GetProductsRequest, UpdateStockRequest,
        product_service_client::ProductServiceClient,
    },
};
use tonic::{Code, Status};

use crate::{Shop, assert_ledger, at, cancelled, consume, created, movements, paid, product, status, units};

fn client(app: &Shop) -> ProductServiceClient<PeerChannel> {
    ProductServiceClient::new(app.grpc_channel())
}

async fn update(app: &Shop, id: i64, add: i64, order: u64, reason: &str) -> Result<i64, Status> {
    let request = UpdateStockRequest {
        id: id.unsigned_abs(),
        add,
        order_id: order,
        reason: reason.to_owned(),
        user_id: 0,
    };
    Ok(client(app).update_stock(request).await?.into_inner().stock)
}

#[track_caller]
fn assert_code<T: std::fmt::Debug>(answer: Result<T, Status>, code: Code) {
    assert_eq!(answer.expect_err("it is refused").code(), code);
}

#[tokio::test]
async fn a_product_is_told_while_it_is_on_sale() {
    let app = Shop::start().await;
    let id = product(&app, "Kopi", 5).await;
    let mut peer = client(&app);
    let known = id.unsigned_abs();
    let told = peer.get_product(GetProductRequest { id: known }).await.unwrap().into_inner();
    assert_eq!((told.id, told.name.as_str(), told.price, told.stock), (known, "Kopi", 10_000, 5));
    assert!(!told.deleted);
    for unknown in [0, 999, u64::MAX] {
        assert_code(peer.get_product(GetProductRequest { id: unknown }).await, Code::NotFound);
    }
    app.admin().delete(&at(id)).await.expect(200);
    assert_code(peer.get_product(GetProductRequest { id: known }).await, Code::NotFound);
}

#[tokio::test]
async fn many_products_are_told_at_once_those_off_sale_with_a_mark() {
    let app = Shop::start().await;
    let (kopi, teh) = (product(&app, "Kopi", 5).await, product(&app, "Teh", 6).await);
    app.admin().delete(&at(teh)).await.expect(200);
    let mut peer = client(&app);
    let ids = [teh, kopi, 999].map(i64::unsigned_abs).into_iter().chain([0, u64::MAX]).collect();
    let told = peer.get_products(GetProductsRequest { ids }).await.unwrap().into_inner().products;
    let brief: Vec<_> = told
        .iter()
        .map(|told| (told.id.cast_signed(), told.name.as_str(), told.stock, told.deleted))
        .collect();
    assert_eq!(brief, [(kopi, "Kopi", 5, false), (teh, "Teh", 6, true)]);
    let none = peer.get_products(GetProductsRequest { ids: vec![] }).await.unwrap().into_inner();
    assert!(none.products.is_empty());
    let too_many = GetProductsRequest { ids: (1..=1001).collect() };
    assert_code(peer.get_products(too_many).await, Code::InvalidArgument);
}

#[tokio::test]
async fn a_caller_without_the_internal_secret_is_refused() {
    let app = Shop::start().await;
    let mut stranger = ProductServiceClient::new(app.grpc_channel_with("wrong"));
    assert_code(stranger.get_product(GetProductRequest { id: 1 }).await, Code::Unauthenticated);
}

#[tokio::test]
async fn undelivered_goods_come_back_once_for_each_product_and_the_last_ends_the_hold() {
    let app = Shop::start().await;
    let (kopi, teh) = (product(&app, "Kopi", 5).await, product(&app, "Teh", 5).await);
    consume(&app, created(1, &[(kopi, 3), (teh, 1)])).await;
    consume(&app, paid(1)).await;

    assert_eq!(update(&app, kopi, 3, 1, "return").await.unwrap(), 5);
    assert_eq!(update(&app, kopi, 3, 1, "return").await.unwrap(), 5, "repeated");
    assert_eq!(status(&app, 1).await.unwrap(), "SOLD");
    assert_eq!(update(&app, teh, 1, 1, "return").await.unwrap(), 5);
    assert_eq!(status(&app, 1).await.unwrap(), "RETURNED");
    assert_eq!(update(&app, teh, 1, 1, "return").await.unwrap(), 5, "repeated after the end");
    assert_eq!((units(&app, kopi).await, units(&app, teh).await), ((5, 0), (5, 0)));
    let recorded = movements(&app, teh).await;
    let expected = [("admin", 5), ("hold", -1), ("sale", 0), ("return", 1)];
    assert_eq!(recorded, expected.map(|(reason, delta)| (reason.to_owned(), delta)));
    assert_ledger(&app).await;
}

#[tokio::test]
async fn goods_do_not_come_back_before_they_were_sold_nor_more_than_were() {
    let app = Shop::start().await;
    let (kopi, teh) = (product(&app, "Kopi", 5).await, product(&app, "Teh", 5).await);
    assert_code(update(&app, kopi, 1, 1, "return").await, Code::FailedPrecondition);
    consume(&app, created(1, &[(kopi, 3)])).await;
    assert_code(update(&app, kopi, 3, 1, "return").await, Code::FailedPrecondition);
    consume(&app, paid(1)).await;
    assert_code(update(&app, kopi, 4, 1, "return").await, Code::FailedPrecondition);
    assert_code(update(&app, teh, 1, 1, "return").await, Code::FailedPrecondition);
    assert_code(update(&app, 999, 1, 1, "return").await, Code::FailedPrecondition);
    consume(&app, created(2, &[(teh, 1)])).await;
    consume(&app, cancelled(2, CancelCause::Customer)).await;
    assert_code(update(&app, teh, 1, 2, "return").await, Code::FailedPrecondition);
    assert_eq!((units(&app, kopi).await.0, units(&app, teh).await.0), (2, 5));
    assert_ledger(&app).await;
}

#[tokio::test]
async fn the_same_return_twice_at_the_same_time_counts_once() {
    let app = Shop::start().await;
    let kopi = product(&app, "Kopi", 5).await;
    consume(&app, created(1, &[(kopi, 3)])).await;
    consume(&app, paid(1)).await;
    let back = || update(&app, kopi, 3, 1, "return");
    let (one, two, three) = tokio::join!(back(), back(), back());
    assert_eq!([one.unwrap(), two.unwrap(), three.unwrap()], [5, 5, 5]);
    assert_ledger(&app).await;
}

#[tokio::test]
async fn stock_changes_without_an_order_as_an_administrator_would_do_it() {
    let app = Shop::start().await;
    let kopi = product(&app, "Kopi", 5).await;
    assert_eq!(update(&app, kopi, 2, 0, "found two").await.unwrap(), 7);
    assert_eq!(update(&app, kopi, -7, 0, "").await.unwrap(), 0);
    assert_code(update(&app, kopi, -1, 0, "").await, Code::FailedPrecondition);
    assert_code(update(&app, 999, 1, 0, "").await, Code::NotFound);
    assert_code(update(&app, 0, 1, 0, "").await, Code::NotFound);
    assert_code(update(&app, kopi, i64::MIN, 0, "").await, Code::InvalidArgument);
    assert_code(update(&app, kopi, 1, 0, "return").await, Code::InvalidArgument);
    assert_code(update(&app, kopi, 1, 0, &"r".repeat(256)).await, Code::InvalidArgument);
    assert_code(update(&app, kopi, 1, 0, "\0").await, Code::InvalidArgument);
    assert_code(update(&app, kopi, 1, 7, "found").await, Code::InvalidArgument);
    assert_code(update(&app, kopi, 0, 7, "return").await, Code::InvalidArgument);
    assert_code(update(&app, kopi, -1, 7, "return").await, Code::InvalidArgument);
    assert_code(update(&app, kopi, 1, u64::MAX, "return").await, Code::InvalidArgument);
    app.admin().delete(&at(kopi)).await.expect(200);
    assert_code(update(&app, kopi, 1, 0, "").await, Code::NotFound);
    assert_ledger(&app).await;
}
