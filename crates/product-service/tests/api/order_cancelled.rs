//! `OrderCancelled`: what was held is free again.

use contracts::{
    UserId,
    events::{CancelCause, OrderCancelled, OrderCreated, OrderPaid, StockInsufficient, StockReserved},
    grpc::product::{
        GetLatestOrderRequest, UpdateStockRequest, product_service_client::ProductServiceClient,
    },
};
use messaging::{Delivered, HandlerError};
use tonic::Code;

use crate::{
    Shop, assert_ledger, cancelled, consume, consumer, created, movements, paid, product, status, units,
};

#[tokio::test]
async fn what_was_held_is_free_again_once() {
    let app = Shop::start().await;
    let (kopi, teh) = (product(&app, "Kopi", 5).await, product(&app, "Teh", 5).await);
    consume(&app, created(1, &[(kopi, 2), (teh, 5)])).await;
    let event = testkit::envelope(cancelled(1, CancelCause::Payment));
    assert!(matches!(testkit::redeliver(&consumer(&app), &event).await, Delivered::Applied));
    assert!(matches!(testkit::redeliver(&consumer(&app), &event).await, Delivered::AlreadyApplied));
    consume(&app, cancelled(1, CancelCause::Customer)).await;
    assert_eq!(status(&app, 1).await.unwrap(), "RELEASED");
    assert_eq!((units(&app, kopi).await, units(&app, teh).await), ((5, 0), (5, 0)));
    assert_eq!(movements(&app, kopi).await.last().unwrap(), &("release".to_owned(), 2));
    assert_ledger(&app).await;
}

#[tokio::test]
async fn an_order_that_is_cancelled_before_it_is_seen_gets_nothing() {
    let app = Shop::start().await;
    let kopi = product(&app, "Kopi", 5).await;
    consume(&app, cancelled(1, CancelCause::Customer)).await;
    assert_eq!(status(&app, 1).await.unwrap(), "REFUSED");
    consume(&app, created(1, &[(kopi, 2)])).await;
    consume(&app, cancelled(1, CancelCause::Customer)).await;
    assert_eq!(units(&app, kopi).await, (5, 0));
    assert!(app.published::<StockReserved>().await.is_empty());
    assert!(app.published::<StockInsufficient>().await.is_empty());
    assert_ledger(&app).await;
}

#[tokio::test]
async fn an_order_that_was_refused_has_nothing_to_give_back() {
    let app = Shop::start().await;
    let kopi = product(&app, "Kopi", 1).await;
    consume(&app, created(1, &[(kopi, 2)])).await;
    consume(&app, cancelled(1, CancelCause::Stock)).await;
    assert_eq!(status(&app, 1).await.unwrap(), "REFUSED");
    assert_eq!(units(&app, kopi).await, (1, 0));
    assert_ledger(&app).await;
}

#[tokio::test]
async fn only_an_administrator_takes_a_sale_back_and_what_came_back_before_does_not_count_twice() {
    let app = Shop::start().await;
    let (kopi, teh) = (product(&app, "Kopi", 5).await, product(&app, "Teh", 5).await);
    consume(&app, created(1, &[(kopi, 2), (teh, 5)])).await;
    consume(&app, paid(1)).await;
    let delivered = testkit::deliver(&consumer(&app), cancelled(1, CancelCause::Customer)).await;
    assert!(matches!(delivered, Delivered::Failed(HandlerError::Reject(_))), "{delivered:?}");

    let mut peer = ProductServiceClient::new(app.grpc_channel());
    let back = UpdateStockRequest {
        id: kopi.unsigned_abs(),
        add: 2,
        order_id: 1,
        reason: "return".to_owned(),
        user_id: 0,
    };
    peer.update_stock(back.clone()).await.unwrap();
    consume(&app, cancelled(1, CancelCause::Admin)).await;
    assert_eq!(status(&app, 1).await.unwrap(), "RETURNED");
    assert_eq!((units(&app, kopi).await, units(&app, teh).await), ((5, 0), (5, 0)));
    assert_eq!(peer.update_stock(back).await.unwrap().into_inner().stock, 5, "it came back already");
    consume(&app, cancelled(1, CancelCause::Admin)).await;
    assert_eq!(units(&app, teh).await, (5, 0));
    assert_ledger(&app).await;
}

#[tokio::test]
async fn another_order_of_the_same_number_changes_nothing() {
    let app = Shop::start().await;
    let kopi = product(&app, "Kopi", 5).await;
    consume(&app, created(1, &[(kopi, 2)])).await;
    consume(&app, paid(1)).await;
    let other = UserId::try_from(8_i64).unwrap();
    let refused = async |delivered: Delivered| {
        assert!(matches!(delivered, Delivered::Failed(HandlerError::Reject(_))), "{delivered:?}");
        assert_eq!(status(&app, 1).await.unwrap(), "SOLD");
    };
    let consumer = consumer(&app);
    let theirs = OrderCreated { user_id: other, ..created(1, &[(kopi, 2)]) };
    refused(testkit::deliver(&consumer, theirs).await).await;
    let dearer = OrderCreated { total_amount: 10_001, ..created(1, &[(kopi, 2)]) };
    refused(testkit::deliver(&consumer, dearer).await).await;
    refused(testkit::deliver(&consumer, OrderPaid { user_id: other, ..paid(1) }).await).await;
    let ended = OrderCancelled { user_id: other, ..cancelled(1, CancelCause::Admin) };
    refused(testkit::deliver(&consumer, ended).await).await;
    let mut client = ProductServiceClient::new(app.grpc_channel());
    let (id, order_id, reason) = (kopi.unsigned_abs(), 1, "return".to_owned());
    let back = UpdateStockRequest { id, add: 2, order_id, reason, user_id: 8 };
    assert_eq!(client.update_stock(back).await.unwrap_err().code(), Code::FailedPrecondition);
    assert_eq!(app.published::<StockReserved>().await.len(), 1);
    let latest = client.get_latest_order(GetLatestOrderRequest {}).await.unwrap().into_inner();
    assert_eq!(latest.order_id, 1);
    assert_ledger(&app).await;
}
