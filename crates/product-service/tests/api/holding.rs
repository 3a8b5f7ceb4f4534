//! `OrderCreated`: stock is held, or the order is refused.

use contracts::events::{
    CancelCause, Envelope, Event, Fields, InsufficientReason, OrderCreated, Shortage, StockInsufficient,
    StockReserved,
};
use messaging::{Delivered, HandlerError, Outcomes};

use crate::{
    Shop, assert_ledger, at, cancelled, consume, consumer, created, movements, paid, product, status, units,
};

/// The orders that were told that their stock is held, in order.
async fn reserved(app: &Shop) -> Vec<i64> {
    app.published::<StockReserved>().await.iter().map(|event| event.order_id.get()).collect()
}

async fn refused(app: &Shop) -> Vec<StockInsufficient> {
    app.published::<StockInsufficient>().await
}

/// Gives many new orders to the service as one batch.
async fn consume_batch(app: &Shop, orders: &[Envelope<OrderCreated>]) -> Result<(), HandlerError> {
    let fields: Vec<Fields> = orders.iter().map(|order| order.to_fields().unwrap()).collect();
    let batch: Vec<&Fields> = fields.iter().collect();
    let outcomes = consumer(app).deliver_all(OrderCreated::STREAM.name, &batch).await;
    outcomes.into_iter().collect()
}

#[tokio::test]
async fn an_order_that_fits_is_held() {
    let app = Shop::start().await;
    let (kopi, teh) = (product(&app, "Kopi", 5).await, product(&app, "Teh", 2).await);
    consume(&app, created(1, &[(teh, 2), (kopi, 1)])).await;
    assert_eq!((units(&app, kopi).await, units(&app, teh).await), ((4, 1), (0, 2)));
    assert_eq!(status(&app, 1).await.unwrap(), "HELD");
    assert_eq!(reserved(&app).await, [1]);
    assert!(refused(&app).await.is_empty());
    assert_eq!(movements(&app, teh).await[1], ("hold".to_owned(), -2));
    assert_ledger(&app).await;
}

#[tokio::test]
async fn an_order_that_does_not_fit_gets_nothing_and_is_told_what_is_missing() {
    let app = Shop::start().await;
    let (kopi, teh) = (product(&app, "Kopi", 5).await, product(&app, "Teh", 2).await);
    consume(&app, created(1, &[(kopi, 1), (teh, 3)])).await;
    assert_eq!((units(&app, kopi).await, units(&app, teh).await), ((5, 0), (2, 0)));
    assert_eq!(status(&app, 1).await.unwrap(), "REFUSED");
    assert!(reserved(&app).await.is_empty());
    let told = refused(&app).await;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].order_id.get(), told[0].reason), (1, InsufficientReason::Insufficient));
    let missing = Shortage { product_id: teh.try_into().unwrap(), requested: 3, available: 2 };
    assert_eq!(told[0].items, [missing]);
    assert_ledger(&app).await;
}

#[tokio::test]
async fn a_product_that_is_gone_is_told_apart_from_one_that_is_scarce() {
    let app = Shop::start().await;
    let (kopi, teh) = (product(&app, "Kopi", 5).await, product(&app, "Teh", 2).await);
    app.admin().delete(&at(teh)).await.expect(200);
    consume(&app, created(1, &[(kopi, 1), (teh, 1)])).await;
    consume(&app, created(2, &[(999, 1)])).await;
    let told: Vec<_> =
        refused(&app).await.into_iter().map(|event| (event.reason, event.items[0].available)).collect();
    assert_eq!(told, [(InsufficientReason::ProductGone, 0), (InsufficientReason::ProductGone, 0)]);
    assert_eq!(units(&app, kopi).await, (5, 0));
}

#[tokio::test]
async fn the_same_event_twice_changes_nothing_and_another_one_is_answered_again() {
    let app = Shop::start().await;
    let kopi = product(&app, "Kopi", 5).await;
    let consumer = consumer(&app);
    let event = testkit::envelope(created(1, &[(kopi, 3)]));
    assert!(matches!(testkit::redeliver(&consumer, &event).await, Delivered::Applied));
    assert!(matches!(testkit::redeliver(&consumer, &event).await, Delivered::AlreadyApplied));
    assert_eq!(reserved(&app).await, [1]);

    consume(&app, created(1, &[(kopi, 3)])).await;
    assert_eq!(reserved(&app).await, [1, 1]);
    consume(&app, created(2, &[(kopi, 3)])).await;
    consume(&app, created(2, &[(kopi, 3)])).await;
    let told = refused(&app).await;
    assert_eq!(told.len(), 2);
    assert_eq!(told[0], told[1]);
    assert_eq!(units(&app, kopi).await, (2, 3));
    assert_ledger(&app).await;
}

#[tokio::test]
async fn an_order_that_went_on_or_ended_is_not_answered_again() {
    let app = Shop::start().await;
    let kopi = product(&app, "Kopi", 5).await;
    for order in [1, 2, 3] {
        consume(&app, created(order, &[(kopi, 1)])).await;
    }
    consume(&app, paid(1)).await;
    consume(&app, cancelled(2, CancelCause::Payment)).await;
    consume(&app, paid(3)).await;
    consume(&app, cancelled(3, CancelCause::Admin)).await;
    consume(&app, cancelled(4, CancelCause::Timeout)).await;
    for order in [1, 2, 3, 4] {
        consume(&app, created(order, &[(kopi, 1)])).await;
    }
    assert_eq!(reserved(&app).await, [1, 2, 3]);
    assert!(refused(&app).await.is_empty());
    assert_eq!(units(&app, kopi).await, (4, 0));
    assert_ledger(&app).await;
}

#[tokio::test]
async fn a_batch_gives_out_the_stock_in_the_order_of_the_stream() {
    let app = Shop::start().await;
    let kopi = product(&app, "Kopi", 10).await;
    let orders: Vec<_> = (1..=50).map(|order| testkit::envelope(created(order, &[(kopi, 1)]))).collect();
    consume_batch(&app, &orders).await.unwrap();
    assert_eq!(reserved(&app).await, (1..=10).collect::<Vec<_>>());
    let told: Vec<_> = refused(&app).await.iter().map(|event| event.order_id.get()).collect();
    assert_eq!(told, (11..=50).collect::<Vec<_>>());
    assert_eq!(units(&app, kopi).await, (0, 10));
    assert_ledger(&app).await;
}

#[tokio::test]
async fn an_order_that_does_not_fit_leaves_the_rest_to_the_next_of_its_batch() {
    let app = Shop::start().await;
    let (kopi, teh) = (product(&app, "Kopi", 3).await, product(&app, "Teh", 9).await);
    let orders =
        [created(1, &[(kopi, 2)]), created(2, &[(teh, 1), (kopi, 2)]), created(3, &[(kopi, 1), (teh, 9)])];
    consume_batch(&app, &orders.map(testkit::envelope)).await.unwrap();
    assert_eq!(reserved(&app).await, [1, 3]);
    assert_eq!((units(&app, kopi).await, units(&app, teh).await), ((0, 3), (0, 9)));
    assert_ledger(&app).await;
}

#[tokio::test]
async fn an_order_that_is_twice_in_a_batch_is_held_once_and_answered_twice() {
    let app = Shop::start().await;
    let kopi = product(&app, "Kopi", 5).await;
    let repeated = testkit::envelope(created(1, &[(kopi, 2)]));
    let batch = [
        repeated.clone(),
        testkit::envelope(created(2, &[(kopi, 9)])),
        testkit::envelope(created(1, &[(kopi, 2)])),
        testkit::envelope(created(2, &[(kopi, 9)])),
        repeated,
    ];
    consume_batch(&app, &batch).await.unwrap();
    assert_eq!(reserved(&app).await, [1, 1], "the very same event counts once");
    assert_eq!(refused(&app).await.len(), 2);
    assert_eq!(units(&app, kopi).await, (3, 2));
    assert_ledger(&app).await;
}

#[tokio::test]
async fn impossible_items_are_rejected_alone() {
    let app = Shop::start().await;
    let kopi = product(&app, "Kopi", 5).await;
    let batch = [created(1, &[(kopi, 1)]), created(2, &[(kopi, 0)])].map(testkit::envelope);
    assert!(matches!(consume_batch(&app, &batch).await, Err(HandlerError::Reject(_))));
    assert_eq!((status(&app, 1).await.as_deref(), status(&app, 2).await), (Some("HELD"), None));
    for items in [&[][..], &[(kopi, -1)]] {
        let delivered = testkit::deliver(&consumer(&app), created(3, items)).await;
        assert!(matches!(delivered, Delivered::Failed(HandlerError::Reject(_))), "{delivered:?}");
    }
    assert_eq!((units(&app, kopi).await, reserved(&app).await), ((4, 1), vec![1]));
}

/// What became of each of many new orders that are given to the service as one batch.
async fn outcomes(app: &Shop, orders: &[Envelope<OrderCreated>]) -> Outcomes {
    let fields: Vec<Fields> = orders.iter().map(|order| order.to_fields().unwrap()).collect();
    let batch: Vec<&Fields> = fields.iter().collect();
    consumer(app).deliver_all(OrderCreated::STREAM.name, &batch).await
}

/// A product that somebody keeps locked until the transaction ends.
async fn keep_locked(app: &Shop, product: i64) -> sqlx::PgTransaction<'static> {
    let mut somebody = app.pool().begin().await.unwrap();
    sqlx::query("select from products where id = $1 for update")
        .bind(product)
        .execute(&mut *somebody)
        .await
        .unwrap();
    somebody
}

#[tokio::test]
async fn a_locked_product_holds_up_only_the_orders_that_need_it() {
    let app = Shop::start().await;
    let (kopi, teh) = (product(&app, "Kopi", 9).await, product(&app, "Teh", 9).await);
    let somebody = keep_locked(&app, kopi).await;
    let orders = [
        created(1, &[(kopi, 1)]),
        created(2, &[(teh, 1)]),
        created(3, &[(teh, 1), (kopi, 1)]),
        created(4, &[(teh, 1), (999, 1)]),
        created(5, &[(teh, 2)]),
    ]
    .map(testkit::envelope);
    let found = outcomes(&app, &orders).await;
    let [Err(HandlerError::Retry(_)), Ok(()), Err(HandlerError::Retry(_)), Ok(()), Ok(())] = &found[..]
    else {
        panic!("{found:?}")
    };
    assert_eq!(reserved(&app).await, [2, 5]);
    assert_eq!(refused(&app).await[0].order_id.get(), 4, "a product that never existed is gone, not locked");
    somebody.rollback().await.unwrap();

    let found = outcomes(&app, &orders).await;
    assert!(found.iter().all(Result::is_ok), "{found:?}");
    assert_eq!(reserved(&app).await, [2, 5, 1, 3], "those that waited, and no other again");
    assert_eq!((units(&app, kopi).await, units(&app, teh).await), ((7, 2), (5, 4)));
    assert_ledger(&app).await;
}

#[tokio::test]
async fn a_locked_product_holds_up_no_stream() {
    let app = Shop::start().await;
    let (kopi, teh) = (product(&app, "Kopi", 100).await, product(&app, "Teh", 100).await);
    // More than there are slots for events of one kind, all of which need the locked product.
    for order in 1..=20 {
        consume(&app, created(order, &[(kopi, 1)])).await;
    }
    app.start_background().await;
    let somebody = keep_locked(&app, kopi).await;
    let mut redis = app.redis_client(1).get_multiplexed_async_connection().await.unwrap();
    let mut add = async |stream: &str, fields: Fields| {
        redis::cmd("XADD").arg(stream).arg("*").arg(&fields).exec_async(&mut redis).await.unwrap();
    };
    for order in 1..=20 {
        let ended = testkit::envelope(cancelled(order, CancelCause::Customer));
        add("stream:orders:cancelled", ended.to_fields().unwrap()).await;
    }
    for (order, product) in [(21, kopi), (22, teh)] {
        let created = testkit::envelope(created(order, &[(product, 1)]));
        add(OrderCreated::STREAM.name, created.to_fields().unwrap()).await;
    }
    testkit::eventually("the order that needs nothing locked", async || {
        (status(&app, 22).await.as_deref() == Some("HELD")).then_some(())
    })
    .await;
    assert_eq!(status(&app, 21).await, None);
    somebody.rollback().await.unwrap();
    testkit::eventually("all others", async || (units(&app, kopi).await == (99, 1)).then_some(())).await;
    assert_ledger(&app).await;
}

#[tokio::test]
async fn two_batches_at_the_same_time_never_sell_a_unit_twice() {
    let app = Shop::start().await;
    let (kopi, teh) = (product(&app, "Kopi", 10).await, product(&app, "Teh", 10).await);
    let batch = |from: i64, items: [(i64, i32); 2]| -> Vec<_> {
        (from..from + 10).map(|order| testkit::envelope(created(order, &items))).collect()
    };
    let one = batch(1, [(kopi, 1), (teh, 1)]);
    let other = batch(101, [(teh, 1), (kopi, 1)]);
    let (one, other) = tokio::join!(consume_batch(&app, &one), consume_batch(&app, &other));
    one.unwrap();
    other.unwrap();
    assert_eq!((reserved(&app).await.len(), refused(&app).await.len()), (10, 10));
    assert_eq!((units(&app, kopi).await, units(&app, teh).await), ((0, 10), (0, 10)));
    assert_ledger(&app).await;
}
