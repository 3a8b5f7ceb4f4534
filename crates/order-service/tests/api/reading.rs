//! GET /order, /order/all, /order/{id} and /order/{id}/events.

use serde_json::{Value, json};
use testkit::Reply;

use crate::shop::{ANI, Shop};
use order_service::domain::Status;

fn ids(reply: &Reply) -> Vec<i64> {
    reply.expect(200).as_array().unwrap().iter().map(|order| order["id"].as_i64().unwrap()).collect()
}

/// The path of the next part, if the reply names one.
fn next(reply: &Reply) -> Option<String> {
    let link = reply.header("link");
    let path = link.strip_prefix('<')?.strip_suffix(">; rel=\"next\"")?;
    Some(path.to_owned())
}

#[tokio::test]
async fn a_buyer_leafs_through_their_own_orders_newest_first() {
    let shop = Shop::open().await;
    shop.world.fill(8, &[(3, 1)]);
    let mut placed = Vec::new();
    for _ in 0..5 {
        placed.insert(0, shop.place().await.get());
        shop.app.customer(8).post("/api/v1/order", json!({})).await.expect(201);
    }
    let ani = shop.app.customer(ANI);
    let (mut seen, mut path) = (Vec::new(), Some("/api/v1/order?limit=2".to_owned()));
    while let Some(wanted) = path {
        let part = ani.get(&wanted).await;
        assert_eq!(part.header("x-total-count"), "5");
        seen.extend(ids(&part));
        path = next(&part);
    }
    assert_eq!(seen, placed);
    let all = ani.get("/api/v1/order").await;
    assert_eq!(ids(&all), placed);
    assert_eq!(next(&all), None);
}

#[tokio::test]
async fn a_list_can_be_narrowed_to_one_state() {
    let shop = Shop::open().await;
    shop.place().await;
    let awaiting =
        [shop.order_in(Status::AwaitingPayment).await, shop.order_in(Status::AwaitingPayment).await];
    for (actor, path) in [(shop.app.customer(ANI), "/api/v1/order"), (shop.app.admin(), "/api/v1/order/all")]
    {
        let first = actor.get(&format!("{path}?status=AWAITING_PAYMENT&limit=1")).await;
        assert_eq!(ids(&first), [awaiting[1].get()]);
        assert_eq!(first.header("x-total-count"), "2");
        let second = actor.get(&next(&first).unwrap()).await;
        assert_eq!((ids(&second), next(&second)), (vec![awaiting[0].get()], None));
    }
}

#[tokio::test]
async fn an_administrator_sees_everybodys_orders() {
    let shop = Shop::open().await;
    shop.world.fill(8, &[(3, 1)]);
    let anis = [shop.place().await.get(), shop.place().await.get()];
    let belas =
        shop.app.customer(8).post("/api/v1/order", json!({})).await.expect(201)["order_id"].as_i64().unwrap();
    let root = shop.app.admin();
    assert_eq!(ids(&root.get("/api/v1/order/all").await), [belas, anis[1], anis[0]]);
    let first = root.get(&format!("/api/v1/order/all?user_id={ANI}&limit=1")).await;
    assert_eq!((ids(&first), first.header("x-total-count")), (vec![anis[1]], "2"));
    assert_eq!(ids(&root.get(&next(&first).unwrap()).await), [anis[0]]);
    assert_eq!(ids(&root.get("/api/v1/order").await), [] as [i64; 0], "their own");
    shop.app.customer(ANI).get("/api/v1/order/all").await.problem(403, "forbidden");
}

#[tokio::test]
async fn an_order_and_its_timeline_are_for_its_buyer_and_administrators() {
    let shop = Shop::open().await;
    let id = shop.place().await;
    for path in [format!("/api/v1/order/{id}"), format!("/api/v1/order/{id}/events")] {
        let own = shop.app.customer(ANI).get(&path).await.expect(200);
        assert_eq!(shop.app.admin().get(&path).await.expect(200), own);
        shop.app.customer(8).get(&path).await.problem(404, "not_found");
        shop.app.anyone().get(&path).await.problem(401, "unauthorized");
    }
    for path in ["/api/v1/order/9223372036854775807", "/api/v1/order/999/events"] {
        shop.app.admin().get(path).await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_timeline_shows_when_what_and_why() {
    let shop = Shop::open().await;
    let id = shop.order_in(Status::Paid).await;
    let events = shop.app.customer(ANI).get(&format!("/api/v1/order/{id}/events")).await.expect(200);
    let without_time: Vec<Value> = events
        .as_array()
        .unwrap()
        .iter()
        .map(|row| json!([row["from"], row["to"], row["cause"], row["detail"]]))
        .collect();
    assert_eq!(
        json!(without_time),
        json!([
            [null, "RECEIVED", "Placed", null],
            ["RECEIVED", "AWAITING_PAYMENT", "StockReserved", null],
            ["AWAITING_PAYMENT", "PAID", "PaymentSuccess", "250000 by qris"],
        ])
    );
    assert!(events.as_array().unwrap().iter().map(|row| row["at"].as_str().unwrap()).is_sorted());
}

#[tokio::test]
async fn where_to_pay_is_shown_exactly_as_long_as_it_can_be_paid() {
    let shop = Shop::open().await;
    for state in Status::ALL {
        shop.world.set().payment_end = contracts::grpc::payment::CancelOutcome::Cancelled;
        let order = shop.order(shop.order_in(state).await).await;
        let awaiting = state == Status::AwaitingPayment;
        assert_eq!(order.get("payment_url").is_some(), awaiting, "{state}");
        assert_eq!(order.get("payment_expires").is_some(), awaiting, "{state}");
    }
}
