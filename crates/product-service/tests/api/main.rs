//! product-service from outside: over HTTP, over gRPC, and by the events that it consumes and publishes.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may panic")]

mod bad_input;
mod browsing;
mod caching;
mod categories;
mod demo_data;
mod grpc;
mod holding;
mod managing;
mod order_cancelled;
mod order_paid;
mod streams;

use contracts::{
    OrderId, ProductId, UserId,
    events::{CancelCause, Item, OrderCancelled, OrderCreated, OrderPaid},
};
use messaging::{Consumer, Delivered};
use product_service::{AppState, ProductService, consumers};
use serde_json::{Value, json};
use testkit::TestService;
use time::OffsetDateTime;

type Shop = TestService<ProductService>;

const PRODUCTS: &str = "/api/v1/products";
const CATEGORIES: &str = "/api/v1/categories";

fn at(id: i64) -> String {
    format!("{PRODUCTS}/{id}")
}

/// Puts a product on sale and returns its id.
async fn product(app: &Shop, name: &str, stock: i64) -> i64 {
    let body = json!({ "name": name, "price": 10_000, "stock": stock, "category_ids": [] });
    let reply = app.admin().post(PRODUCTS, body).await.expect(201);
    reply["product"]["id"].as_i64().unwrap()
}

/// Makes a category and returns its id.
async fn category(app: &Shop, name: &str) -> i64 {
    let reply = app.admin().post(CATEGORIES, json!({ "name": name })).await.expect(201);
    reply["category"]["id"].as_i64().unwrap()
}

/// The product as an administrator sees it.
async fn seen(app: &Shop, id: i64) -> Value {
    app.admin().get(&at(id)).await.expect(200)["product"].clone()
}

/// Free and held units.
async fn units(app: &Shop, id: i64) -> (i64, i64) {
    let product = seen(app, id).await;
    (product["stock"].as_i64().unwrap(), product["held"].as_i64().unwrap())
}

fn consumer(app: &Shop) -> Consumer<AppState> {
    consumers::consumer(app.app())
}

fn order_id(id: i64) -> OrderId {
    id.try_into().unwrap()
}

fn user_id() -> UserId {
    7_i64.try_into().unwrap()
}

fn items(items: &[(i64, i32)]) -> Vec<Item> {
    let item = |&(id, quantity): &(i64, i32)| Item { product_id: ProductId::try_from(id).unwrap(), quantity };
    items.iter().map(item).collect()
}

fn created(order: i64, bought: &[(i64, i32)]) -> OrderCreated {
    OrderCreated {
        order_id: order_id(order),
        user_id: user_id(),
        total_amount: 10_000,
        items: items(bought),
        created_at: OffsetDateTime::now_utc(),
    }
}

fn paid(order: i64) -> OrderPaid {
    OrderPaid {
        order_id: order_id(order),
        user_id: user_id(),
        total_amount: 10_000,
        items: Vec::new(),
        ordered_at: OffsetDateTime::now_utc(),
        cart_read_at: None,
        shipping_address: None,
    }
}

fn cancelled(order: i64, cause: CancelCause) -> OrderCancelled {
    OrderCancelled {
        order_id: order_id(order),
        user_id: user_id(),
        total_amount: None,
        items: Vec::new(),
        cause,
    }
}

/// Gives an event to the service, which must be able to handle it.
async fn consume<E: messaging::Event>(app: &Shop, event: E) {
    let delivered = testkit::deliver(&consumer(app), event).await;
    assert!(matches!(delivered, Delivered::Applied), "{delivered:?}");
}

async fn status(app: &Shop, order: i64) -> Option<String> {
    sqlx::query_scalar("select status from holds where order_id = $1")
        .bind(order)
        .fetch_optional(app.pool())
        .await
        .unwrap()
}

/// The reasons and sizes of the changes that were recorded for a product, in order.
async fn movements(app: &Shop, product: i64) -> Vec<(String, i64)> {
    sqlx::query_as("select reason, delta from stock_movements where product_id = $1 order by id")
        .bind(product)
        .fetch_all(app.pool())
        .await
        .unwrap()
}

/// What must hold at any time: the stock of each product is the sum of its movements, and what orders keep, sold and
/// gave back is what the movements say.
async fn assert_ledger(app: &Shop) {
    let wrong: Vec<(i64,)> = sqlx::query_as(
        "select id from products p
         where stock <> (select coalesce(sum(delta), 0) from stock_movements where product_id = p.id)",
    )
    .fetch_all(app.pool())
    .await
    .unwrap();
    assert!(wrong.is_empty(), "the stock of {wrong:?} is not the sum of its movements");
    let out: (i64, i64) = sqlx::query_as(
        "select (select coalesce(-sum(delta), 0)::bigint from stock_movements where order_id is not null),
                (select coalesce(sum(quantity), 0)::bigint
                 from holds, jsonb_to_recordset(items) as line (product_id bigint, quantity bigint)
                 where status in ('HELD', 'SOLD') and not exists (
                     select from stock_movements m
                     where m.order_id = holds.order_id and m.product_id = line.product_id and reason = 'return'))",
    )
    .fetch_one(app.pool())
    .await
    .unwrap();
    assert_eq!(out.0, out.1, "what the movements took out is not what the holds keep");
}
