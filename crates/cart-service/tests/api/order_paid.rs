//! `OrderPaid` takes out what was bought.

use contracts::{
    OrderId, ProductId, UserId,
    events::{Envelope, Event, Fields, Item, OrderPaid},
    grpc::cart::{GetCartRequest, cart_service_client::CartServiceClient},
};
use messaging::{HandlerError, StreamHandler};
use redis::AsyncCommands;
use time::{Duration, OffsetDateTime};

use super::{TestApp, add, age, cart, carts, content, seconds_left, shop};

/// An order of user 7 that was placed now, as order-service publishes that it is paid.
fn paid(order: i64, items: &[(i64, i32)]) -> OrderPaid {
    let item = |(id, quantity): &(i64, i32)| Item {
        product_id: ProductId::try_from(*id).unwrap(),
        quantity: *quantity,
    };
    OrderPaid {
        order_id: OrderId::try_from(order).unwrap(),
        user_id: UserId::try_from(7_i64).unwrap(),
        total_amount: 250_000,
        items: items.iter().map(item).collect(),
        ordered_at: OffsetDateTime::now_utc(),
        cart_read_at: None,
        shipping_address: None,
    }
}

/// Gives an entry to the service as its runner does.
async fn give(app: &TestApp, envelope: &Envelope<OrderPaid>) -> Result<(), HandlerError> {
    give_fields(app, &envelope.to_fields().unwrap()).await
}

async fn give_fields(app: &TestApp, fields: &Fields) -> Result<(), HandlerError> {
    let outcomes = app.app().handle(OrderPaid::STREAM.name, &[fields.into()]).await?;
    outcomes.into_iter().collect()
}

#[tokio::test]
async fn what_was_bought_is_taken_out_and_the_rest_stays() {
    let (app, _catalogue) = shop().await;
    let (ani, budi) = (app.customer(7), app.customer(8));
    add(&ani, 1, 3).await;
    add(&ani, 2, 2).await;
    add(&ani, 3, 1).await;
    add(&budi, 1, 3).await;
    age(&app, 7).await;
    give(&app, &testkit::envelope(paid(41, &[(1, 2), (2, 5), (99, 1)]))).await.unwrap();
    assert_eq!(content(&cart(&ani).await), [(1, 1), (3, 1)], "min(bought, present)");
    assert!(seconds_left(&app, 7).await <= 1000, "not a change of the customer's");
    assert_eq!(content(&cart(&budi).await), [(1, 3)]);
}

#[tokio::test]
async fn it_is_taken_out_once_however_often_it_is_told() {
    let (app, _catalogue) = shop().await;
    let ani = app.customer(7);
    add(&ani, 1, 5).await;
    let event = testkit::envelope(paid(41, &[(1, 2)]));
    give(&app, &event).await.unwrap();
    give(&app, &event).await.unwrap();
    assert_eq!(content(&cart(&ani).await), [(1, 3)], "the same event again");
    give(&app, &testkit::envelope(event.event.clone())).await.unwrap();
    assert_eq!(content(&cart(&ani).await), [(1, 3)], "the same order told anew");
    give(&app, &testkit::envelope(paid(42, &[(1, 2)]))).await.unwrap();
    assert_eq!(content(&cart(&ani).await), [(1, 1)], "another order");

    let left: i64 = carts(&app).await.ttl(format!("cart:seen:{}", event.meta.event_id)).await.unwrap();
    assert!((2_591_000..=2_592_000).contains(&left), "remembered for 30 days: {left}");
}

#[tokio::test]
async fn what_was_put_in_after_the_order_stays() {
    let (app, _catalogue) = shop().await;
    let ani = app.customer(7);
    add(&ani, 1, 2).await;
    let order = paid(41, &[(1, 2), (2, 1)]);
    add(&ani, 2, 1).await;
    add(&ani, 1, 1).await;
    give(&app, &testkit::envelope(order)).await.unwrap();
    assert_eq!(
        content(&cart(&ani).await),
        [(1, 1), (2, 1)],
        "the unit added to the bought ones, and the new line"
    );

    add(&ani, 3, 1).await;
    let old = OrderPaid { ordered_at: OffsetDateTime::now_utc() - Duration::days(1), ..paid(42, &[(3, 1)]) };
    give(&app, &testkit::envelope(old)).await.unwrap();
    assert_eq!(content(&cart(&ani).await), [(1, 1), (2, 1), (3, 1)]);
}

#[tokio::test]
async fn what_was_there_when_the_order_read_the_cart_goes_by_the_carts_own_clock() {
    let (app, _catalogue) = shop().await;
    let ani = app.customer(7);
    add(&ani, 1, 2).await;
    let whole = GetCartRequest { user_id: "7".to_owned() };
    let read = CartServiceClient::new(app.grpc_channel()).get_user_cart(whole).await.unwrap().into_inner();
    let read_at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(read.read_at) * 1_000).unwrap();
    add(&ani, 2, 1).await;
    // order-service's clock is an hour behind in one order, and an hour ahead in the other.
    for (order, ahead) in [(41, -Duration::HOUR), (42, Duration::HOUR)] {
        let ordered_at = OffsetDateTime::now_utc() + ahead;
        let event = OrderPaid { ordered_at, cart_read_at: Some(read_at), ..paid(order, &[(1, 1), (2, 1)]) };
        give(&app, &testkit::envelope(event)).await.unwrap();
    }
    assert_eq!(content(&cart(&ani).await), [(2, 1)], "the line that was added later stays");
}

#[tokio::test]
async fn a_cart_that_is_gone_is_no_fault() {
    let (app, _catalogue) = shop().await;
    give(&app, &testkit::envelope(paid(41, &[(1, 2)]))).await.unwrap();
    assert_eq!(content(&cart(&app.customer(7)).await), []);
}

#[tokio::test]
async fn what_is_no_such_event_is_rejected() {
    let (app, _catalogue) = shop().await;
    let mut fields = testkit::envelope(paid(41, &[])).to_fields().unwrap();
    fields.insert("items".to_owned(), "[{}]".to_owned());
    let fail = give_fields(&app, &fields).await.unwrap_err();
    assert!(matches!(fail, HandlerError::Reject(_)), "{fail:?}");
}

#[tokio::test]
async fn a_line_that_nobody_can_read_is_a_bug_and_nothing_is_marked_as_done() {
    let (app, _catalogue) = shop().await;
    let mut redis = carts(&app).await;
    let () = redis.hset("cart:7", 1, "nonsense").await.unwrap();
    let event = testkit::envelope(paid(41, &[(1, 1)]));
    let fail = give(&app, &event).await.unwrap_err();
    assert!(matches!(fail, HandlerError::Bug(_)), "{fail:?}");
    app.customer(7).get("/api/v1/cart").await.problem(500, "internal");

    let () = redis.del("cart:7").await.unwrap();
    add(&app.customer(7), 1, 1).await;
    let event =
        Envelope { event: OrderPaid { ordered_at: OffsetDateTime::now_utc(), ..event.event }, ..event };
    give(&app, &event).await.unwrap();
    assert_eq!(content(&cart(&app.customer(7)).await), []);
}

#[tokio::test]
async fn a_paid_order_on_the_stream_empties_the_cart_and_is_acknowledged() {
    let (app, _catalogue) = shop().await;
    let ani = app.customer(7);
    add(&ani, 1, 1).await;
    app.start_background().await;
    let mut redis = app.redis_client(1).get_multiplexed_async_connection().await.unwrap();
    let fields: Fields = testkit::envelope(paid(41, &[(1, 1)])).to_fields().unwrap();
    let pairs: Vec<_> = fields.into_iter().collect();
    let _id: String = redis.xadd(OrderPaid::STREAM.name, "*", &pairs).await.unwrap();
    testkit::eventually("the cart is empty", async || content(&cart(&ani).await).is_empty().then_some(()))
        .await;
    testkit::eventually("the entry is acknowledged", async || {
        let groups: redis::streams::StreamInfoGroupsReply =
            redis.xinfo_groups(OrderPaid::STREAM.name).await.unwrap();
        let group = groups.groups.into_iter().find(|group| group.name == "cart-group")?;
        (group.pending == 0 && group.lag == Some(0)).then_some(())
    })
    .await;
}
