//! `OrderPaid`: what was held is sold.

use contracts::{
    events::{CancelCause, Event, Fields, OrderPaid},
    grpc::product::{UpdateStockRequest, product_service_client::ProductServiceClient},
};
use messaging::{Delivered, HandlerError};

use crate::{
    Shop, assert_ledger, cancelled, consume, consumer, created, movements, paid, product, status, units,
};

#[tokio::test]
async fn what_was_held_is_sold_once() {
    let app = Shop::start().await;
    let kopi = product(&app, "Kopi", 5).await;
    consume(&app, created(1, &[(kopi, 2)])).await;
    let event = testkit::envelope(paid(1));
    assert!(matches!(testkit::redeliver(&consumer(&app), &event).await, Delivered::Applied));
    assert!(matches!(testkit::redeliver(&consumer(&app), &event).await, Delivered::AlreadyApplied));
    consume(&app, paid(1)).await;
    assert_eq!(status(&app, 1).await.unwrap(), "SOLD");
    assert_eq!(units(&app, kopi).await, (3, 0));
    let expected = [("admin", 5), ("hold", -2), ("sale", 0)];
    assert_eq!(movements(&app, kopi).await, expected.map(|(reason, delta)| (reason.to_owned(), delta)));
    assert_ledger(&app).await;
}

#[tokio::test]
async fn a_payment_that_comes_before_its_order_waits() {
    let app = Shop::start().await;
    let kopi = product(&app, "Kopi", 5).await;
    let event = testkit::envelope(paid(1));
    let early = testkit::redeliver(&consumer(&app), &event).await;
    assert!(matches!(early, Delivered::Failed(HandlerError::NotYet(_))), "{early:?}");
    consume(&app, created(1, &[(kopi, 2)])).await;
    assert!(matches!(testkit::redeliver(&consumer(&app), &event).await, Delivered::Applied));
    assert_eq!(status(&app, 1).await.unwrap(), "SOLD");
}

#[tokio::test]
async fn a_payment_for_which_nothing_is_kept_is_rejected_unless_an_administrator_cancelled() {
    let app = Shop::start().await;
    let kopi = product(&app, "Kopi", 5).await;
    for order in [1, 2, 3] {
        consume(&app, created(order, &[(kopi, 1)])).await;
    }
    consume(&app, created(4, &[(kopi, 99)])).await;
    consume(&app, cancelled(1, CancelCause::Payment)).await;
    consume(&app, cancelled(2, CancelCause::Admin)).await;
    consume(&app, paid(3)).await;
    consume(&app, cancelled(3, CancelCause::Admin)).await;
    for rejected in [1, 4] {
        let delivered = testkit::deliver(&consumer(&app), paid(rejected)).await;
        assert!(matches!(delivered, Delivered::Failed(HandlerError::Reject(_))), "{rejected}: {delivered:?}");
    }
    for noted in [2, 3] {
        consume(&app, paid(noted)).await;
    }
    let ends = [status(&app, 1).await, status(&app, 2).await, status(&app, 3).await, status(&app, 4).await];
    assert_eq!(ends.map(Option::unwrap), ["RELEASED", "RELEASED", "RETURNED", "REFUSED"]);
    assert_eq!(units(&app, kopi).await, (5, 0));
    assert_ledger(&app).await;
}

#[tokio::test]
async fn a_payment_that_is_repeated_after_the_goods_came_back_changes_nothing() {
    let app = Shop::start().await;
    let kopi = product(&app, "Kopi", 5).await;
    consume(&app, created(1, &[(kopi, 2)])).await;
    consume(&app, paid(1)).await;
    let back = UpdateStockRequest {
        id: kopi.unsigned_abs(),
        add: 2,
        order_id: 1,
        reason: "return".to_owned(),
        user_id: 0,
    };
    ProductServiceClient::new(app.grpc_channel()).update_stock(back).await.unwrap();
    assert_eq!(status(&app, 1).await.unwrap(), "RETURNED");
    consume(&app, paid(1)).await;
    assert_eq!(units(&app, kopi).await, (5, 0));
    assert_ledger(&app).await;
}

#[tokio::test]
async fn a_batch_of_payments_is_booked_and_one_that_comes_twice_in_it_counts_once() {
    let app = Shop::start().await;
    let kopi = product(&app, "Kopi", 5).await;
    for order in [1, 2, 3] {
        consume(&app, created(order, &[(kopi, 1)])).await;
    }
    let batch: Vec<Fields> =
        [3, 1, 1].map(|order| testkit::envelope(paid(order)).to_fields().unwrap()).into();
    let batch: Vec<&Fields> = batch.iter().collect();
    consumer(&app).deliver_all(OrderPaid::STREAM.name, &batch).await;
    let states = [status(&app, 1).await, status(&app, 2).await, status(&app, 3).await];
    assert_eq!(states.map(Option::unwrap), ["SOLD", "HELD", "SOLD"]);
    assert_eq!(units(&app, kopi).await, (2, 1));
    assert_eq!(movements(&app, kopi).await.iter().filter(|(reason, _)| reason == "sale").count(), 2);

    let early = testkit::envelope(paid(9)).to_fields().unwrap();
    let due = testkit::envelope(paid(2)).to_fields().unwrap();
    let outcomes = consumer(&app).deliver_all(OrderPaid::STREAM.name, &[&due, &early]).await;
    assert!(matches!(&outcomes[..], [Ok(()), Err(HandlerError::NotYet(_))]), "{outcomes:?}");
    assert_eq!(status(&app, 2).await.unwrap(), "SOLD", "what comes too early waits alone");
    assert_ledger(&app).await;
}

#[tokio::test]
async fn an_order_that_somebody_keeps_locked_holds_up_no_other() {
    let app = Shop::start().await;
    let kopi = product(&app, "Kopi", 5).await;
    for order in [1, 2] {
        consume(&app, created(order, &[(kopi, 1)])).await;
    }
    let mut somebody = app.pool().begin().await.unwrap();
    sqlx::query("select from holds where order_id = 1 for update").execute(&mut *somebody).await.unwrap();
    let batch: Vec<Fields> =
        [1, 2, 9].map(|order| testkit::envelope(paid(order)).to_fields().unwrap()).into();
    let batch: Vec<&Fields> = batch.iter().collect();
    let outcomes = consumer(&app).deliver_all(OrderPaid::STREAM.name, &batch).await;
    let [Err(HandlerError::Retry(_)), Ok(()), Err(HandlerError::NotYet(_))] = &outcomes[..] else {
        panic!("{outcomes:?}")
    };
    somebody.rollback().await.unwrap();
    consumer(&app).deliver_all(OrderPaid::STREAM.name, &batch[..1]).await;
    assert_eq!(
        (status(&app, 1).await.unwrap(), status(&app, 2).await.unwrap()),
        ("SOLD".into(), "SOLD".into())
    );
    assert_ledger(&app).await;
}
