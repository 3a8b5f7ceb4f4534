//! Placing by POST /order and POST /checkout: what is ordered, and what is refused.

use std::collections::BTreeSet;

use contracts::events::{Item, OrderCreated};
use futures::future::join_all;
use order_service::app::skip_taken_numbers;
use reqwest::Method;
use serde_json::json;
use tokio::{io::AsyncReadExt, net::TcpListener};
use tonic::Code;

use crate::shop::{ANI, Shop, TOTAL};

const ORDER: &str = "/api/v1/order";

fn address() -> serde_json::Value {
    json!({
        "recipient": "Ani", "phone": "+62 811", "street": "Jl. Mawar 1", "city": "Bandung", "postal_code": "40111",
        "country": "ID"
    })
}

#[tokio::test]
async fn the_whole_cart_is_ordered_at_todays_names_and_prices() {
    let shop = Shop::open().await;
    let reply = shop.app.customer(ANI).send(Method::POST, ORDER, &[], None).await;
    let body = reply.expect(201);
    let order = &body["order"];
    assert_eq!(body["message"], "Order received");
    assert_eq!(reply.header("location"), format!("/api/v1/order/{}", body["order_id"]));
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(order["status"], "RECEIVED");
    assert_eq!(order["user_id"], ANI);
    assert_eq!(order["total_amount"], TOTAL);
    let lines: Vec<_> = order["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| (&i["name"], &i["price"], &i["quantity"]))
        .collect();
    assert_eq!(json!(lines), json!([["Teh Melati", 50_000, 1], ["Kopi Gayo", 100_000, 2]]));
    assert_eq!(
        &shop.app.customer(ANI).get(reply.header("location")).await.expect(200),
        order,
        "what is stored"
    );

    let published = shop.app.published::<OrderCreated>().await;
    let items = [(4, 1), (3, 2)]
        .map(|(id, quantity): (i64, i32)| Item { product_id: id.try_into().unwrap(), quantity });
    assert_eq!(published.len(), 1);
    assert_eq!(
        (published[0].order_id.get(), published[0].total_amount),
        (body["order_id"].as_i64().unwrap(), TOTAL)
    );
    assert_eq!(published[0].items, items);
}

#[tokio::test]
async fn a_later_change_of_the_catalogue_leaves_the_order_as_it_was() {
    let shop = Shop::open().await;
    let id = shop.place().await;
    let before = shop.order(id).await;
    shop.world.sell(3, "Kopi Toraja", 999_000);
    assert_eq!(shop.order(id).await, before);
}

#[tokio::test]
async fn only_the_named_products_are_ordered_by_either_path() {
    let shop = Shop::open().await;
    let ani = shop.app.customer(ANI);
    for path in [ORDER, "/api/v1/checkout"] {
        let request = json!({ "product_ids": [3], "expected_total": 200_000, "shipping_address": address() });
        let order = ani.post(path, request).await.expect(201)["order"].clone();
        assert_eq!(order["items"].as_array().unwrap().len(), 1);
        assert_eq!(order["total_amount"], 200_000);
        assert_eq!(order["shipping_address"], address());
    }
}

#[tokio::test]
async fn a_cart_that_cannot_be_ordered_is_refused_without_a_trace() {
    let shop = Shop::open().await;
    let (ani, bela) = (shop.app.customer(ANI), shop.app.customer(8));
    bela.post(ORDER, json!({})).await.problem(422, "empty_cart");
    let problem = ani.post(ORDER, json!({ "product_ids": [3, 5] })).await.problem(422, "not_in_cart");
    assert_eq!(problem["product_ids"], json!([5]));
    let problem = ani.post(ORDER, json!({ "expected_total": 249_999 })).await.problem(409, "price_changed");
    assert_eq!((&problem["expected_total"], &problem["total_amount"]), (&json!(249_999), &json!(TOTAL)));

    shop.world.set().products[0].deleted = true;
    let problem = ani.post(ORDER, json!({})).await.problem(409, "product_unavailable");
    assert_eq!(problem["product_ids"], json!([3]));
    shop.world.set().products.clear();
    ani.post(ORDER, json!({})).await.problem(409, "product_unavailable");

    shop.world.fill(ANI, &(1..=10).map(|id| (id, 1_000)).collect::<Vec<_>>());
    (1..=10).for_each(|id| shop.world.sell(id, "expensive", 1_000_000_000_000));
    ani.post(ORDER, json!({})).await.problem(422, "total_too_large");

    shop.app.anyone().post(ORDER, json!({})).await.problem(401, "unauthorized");
    assert_eq!(ani.get(ORDER).await.expect(200), json!([]));
    assert!(shop.app.published::<OrderCreated>().await.is_empty());
}

#[tokio::test]
async fn too_little_stock_is_no_reason_to_refuse_since_the_hold_decides() {
    let shop = Shop::open().await;
    shop.world.fill(ANI, &[(3, 900)]);
    shop.place().await;
}

#[tokio::test]
async fn an_order_is_not_taken_while_cart_or_catalogue_is_away() {
    let shop = Shop::open().await;
    let ani = shop.app.customer(ANI);
    for (peer, code) in [("cart", "cart_unavailable"), ("product", "catalogue_unavailable")] {
        shop.world.set().down.insert(peer, Code::Unavailable);
        let reply = ani.post(ORDER, json!({})).await;
        reply.problem(503, code);
        assert_eq!(reply.header("retry-after"), "1");
        shop.world.set().down.clear();
        shop.world.set().silent.push(peer);
        ani.post(ORDER, json!({})).await.problem(503, code);
        shop.world.set().silent.clear();
    }
    shop.place().await;
}

#[tokio::test]
async fn a_peer_that_is_nowhere_is_503_as_well() {
    let shop = Shop::open_with(&["--cart-grpc-url=http://127.0.0.1:1"]).await;
    shop.app.customer(ANI).post(ORDER, json!({})).await.problem(503, "cart_unavailable");
    let shop = Shop::open_with(&["--cart-grpc-url=http://cart.invalid:9083"]).await;
    shop.app.customer(ANI).post(ORDER, json!({})).await.problem(503, "cart_unavailable");
}

#[tokio::test]
async fn a_peer_that_dies_in_the_middle_of_a_call_is_503_as_well() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("--cart-grpc-url=http://{}", listener.local_addr().unwrap());
    let shop = Shop::open_with(&[&url]).await;
    // Reads what comes first and hangs up, again and again.
    let dying = async {
        loop {
            let (mut peer, _) = listener.accept().await.unwrap();
            peer.read_u8().await.ok();
        }
    };
    let ani = shop.app.customer(ANI);
    tokio::select! {
        () = dying => {}
        reply = ani.post(ORDER, json!({})) => { reply.problem(503, "cart_unavailable"); }
    }
}

#[tokio::test]
async fn a_buyer_has_at_most_so_many_unpaid_orders_even_when_placed_at_once() {
    let shop = Shop::open_with(&["--max-open-orders-per-user=3"]).await;
    let ani = shop.app.customer(ANI);
    let replies = join_all((0..12).map(|_| ani.post(ORDER, json!({})))).await;
    let placed: Vec<i64> = replies
        .iter()
        .filter(|r| r.status() == 201)
        .map(|r| r.json()["order_id"].as_i64().unwrap())
        .collect();
    assert_eq!(placed.iter().collect::<BTreeSet<_>>().len(), 3);
    for refused in replies.iter().filter(|reply| reply.status() != 201) {
        assert_eq!(refused.problem(409, "too_many_open_orders")["limit"], 3);
    }
    shop.world.fill(8, &[(3, 1)]);
    shop.app.customer(8).post(ORDER, json!({})).await.expect(201);

    shop.pay(placed[0].try_into().unwrap()).await;
    shop.place().await;
    ani.post(ORDER, json!({})).await.problem(409, "too_many_open_orders");
}

#[tokio::test]
async fn zero_means_no_limit() {
    let shop = Shop::open_with(&["--max-open-orders-per-user=0"]).await;
    for _ in 0..22 {
        shop.place().await;
    }
}

#[tokio::test]
async fn a_buyer_keeps_at_most_so_many_units_without_having_paid() {
    let shop = Shop::open().await;
    let ani = shop.app.customer(ANI);
    shop.world.fill(ANI, &[(3, 1_000)]);
    let id = shop.place().await;
    shop.world.fill(ANI, &[(3, 1), (4, 1)]);
    let problem = ani.post(ORDER, json!({})).await.problem(409, "too_many_units");
    assert_eq!((&problem["product_id"], &problem["limit"]), (&json!(3), &json!(1_000)));
    let other = json!({ "product_ids": [4] });
    ani.post(ORDER, other.clone()).await.expect(201);

    shop.world.fill(ANI, &(5..=104).map(|id| (id, 10)).collect::<Vec<_>>());
    (5..=104).for_each(|id| shop.world.sell(id, "cheap", 1));
    let problem = ani.post(ORDER, json!({})).await.problem(409, "too_many_units");
    assert_eq!((problem.get("product_id"), &problem["limit"]), (None, &json!(2_000)));
    shop.world.fill(8, &(5..=104).map(|id| (id, 20)).collect::<Vec<_>>());
    shop.app.customer(8).post(ORDER, json!({})).await.expect(201);

    shop.hold(id).await;
    let price = shop.order(id).await["total_amount"].as_i64().unwrap();
    shop.deliver(contracts::events::PaymentSuccess { amount: price, ..crate::shop::paid(id) }).await;
    shop.world.fill(ANI, &[(3, 1_000)]);
    ani.post(ORDER, json!({})).await.expect(201);
}

#[tokio::test]
async fn units_are_counted_for_orders_placed_at_once_and_not_at_all_without_a_limit() {
    let shop = Shop::open_with(&["--max-held-units-per-product=5"]).await;
    let ani = shop.app.customer(ANI);
    let replies = join_all((0..6).map(|_| ani.post(ORDER, json!({})))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status() == 201).count(), 2, "of 2 units each");

    let shop = Shop::open_with(&["--max-held-units-per-product=0", "--max-held-units-per-buyer=0"]).await;
    shop.world.fill(ANI, &[(3, 1_000), (4, 1_000)]);
    shop.place().await;
    shop.place().await;
}

#[tokio::test]
async fn a_buyer_orders_so_often_and_then_waits() {
    let shop = Shop::open_with(&["--max-open-orders-per-user=0", "--order-burst=3"]).await;
    let ani = shop.app.customer(ANI);
    let key = [("idempotency-key", "once")];
    let first = ani.send(Method::POST, ORDER, &key, None).await;
    shop.place().await;
    shop.place().await;
    let refused = ani.post(ORDER, json!({})).await;
    refused.problem(429, "too_many_requests");
    assert!((1..=15).contains(&refused.header("retry-after").parse::<u32>().unwrap()));
    let replayed = ani.send(Method::POST, ORDER, &key, None).await;
    assert_eq!(replayed.expect(201), first.expect(201), "a repetition orders nothing");
    shop.world.fill(8, &[(3, 1)]);
    shop.app.customer(8).post(ORDER, json!({})).await.expect(201);
    assert_eq!(shop.app.published::<OrderCreated>().await.len(), 4);

    let off = ["--max-open-orders-per-user=0", "--order-burst=3", "--rate-limit=off"];
    let shop = Shop::open_with(&off).await;
    for _ in 0..10 {
        shop.place().await;
    }
}

#[tokio::test]
async fn twenty_orders_at_once_and_forty_in_a_row_are_an_honest_buyers() {
    let shop = Shop::open().await;
    let ani = shop.app.customer(ANI);
    let replies = join_all((0..20).map(|_| ani.post(ORDER, json!({})))).await;
    assert!(replies.iter().all(|reply| reply.status() == 201));
}

#[tokio::test]
async fn a_number_that_another_order_had_is_not_given_out_again() {
    let shop = Shop::open().await;
    // As after a restore of order_db to an earlier state.
    shop.world.set().latest_order = 5_000;
    let first = shop.place().await;
    assert_eq!(first.get(), 5_001);
    shop.world.set().latest_order = 5_000;
    skip_taken_numbers(shop.app.app()).await.unwrap();
    assert_eq!(shop.place().await.get(), 5_002);
    // And again under a running process.
    shop.world.set().latest_order = 9_000;
    skip_taken_numbers(shop.app.app()).await.unwrap();
    assert_eq!(shop.place().await.get(), 9_001);
}
