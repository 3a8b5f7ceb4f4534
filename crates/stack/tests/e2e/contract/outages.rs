//! What happens to each route while something that it needs is not there.

use futures::future::join_all;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use stack::actors::Customer;
use stack::shop::Service;

use super::cart;
use super::documents::{Documents, Operation};
use super::stage::Subject;
use crate::harness::{Answer, NOBODY, Open};

pub async fn hold(open: &mut Open, documents: &Documents) {
    without_the_catalogue_carts_show_the_last_known_prices(open).await;
    without_carts_nothing_is_ordered(open).await;
    without_payments_an_unpaid_order_is_not_cancelled(open).await;
    without_deliveries_a_paid_order_is_not_cancelled(open).await;
    without_orders_not_everything_is_refunded(open).await;
    without_redis_one_can_log_in(open).await;
    without_databases_every_route_that_needs_one_is_a_503(open, documents).await;
    without_the_databases_names_every_route_that_needs_one_is_a_503(open, documents).await;
    every_route_of_a_dead_service_is_a_503(open, documents).await;
}

async fn without_the_catalogue_carts_show_the_last_known_prices(open: &mut Open) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    cart::add(open, &buyer.token, product, 2).await.is(200);
    let before = cart::see(open, &buyer.token).await;
    open.shop.kill(Service::Product).await.unwrap();
    assert_eq!(cart::see(open, &buyer.token).await, before);
    cart::add(open, &buyer.token, product, 1).await.refused(503, "product_service_unavailable");
    let line = format!("PUT /api/v1/cart/item/{product}");
    let changed = open.ask(&buyer.token, &line, json!({"quantity": 3})).await.is(200);
    assert_eq!(changed["cart"]["total_amt"], 60_000);
    for line in ["POST /api/v1/order", "POST /api/v1/checkout"] {
        open.ask(&buyer.token, line, json!({})).await.refused(503, "catalogue_unavailable");
    }
    open.shop.restart(Service::Product).await.unwrap();
    buyer.order().await.unwrap();
}

async fn without_carts_nothing_is_ordered(open: &mut Open) {
    let buyer = open.customer().await;
    open.shop.kill(Service::Cart).await.unwrap();
    open.ask(&buyer.token, "POST /api/v1/order", json!({})).await.refused(503, "cart_unavailable");
    open.shop.restart(Service::Cart).await.unwrap();
}

async fn cancel(open: &Open, token: &str, order: i64) -> stack::api::Reply {
    open.ask(token, &format!("POST /api/v1/order/{order}/cancel"), Value::Null).await
}

async fn without_payments_an_unpaid_order_is_not_cancelled(open: &mut Open) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    let (order, _) = open.awaiting(&buyer, product).await;
    open.shop.kill(Service::Payment).await.unwrap();
    cancel(open, &buyer.token, order).await.refused(503, "payment_unknown");
    assert_eq!(buyer.see_order(order).await.unwrap()["status"], "AWAITING_PAYMENT");
    open.shop.restart(Service::Payment).await.unwrap();
    assert_eq!(cancel(open, &buyer.token, order).await.is(200)["status"], "CANCELLED");
}

async fn paid(open: &Open) -> (Customer, i64) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    let order = open.paid(&buyer, product).await;
    buyer.wait_for_delivery(order).await.unwrap();
    (buyer, order)
}

async fn without_deliveries_a_paid_order_is_not_cancelled(open: &mut Open) {
    let (buyer, order) = paid(open).await;
    open.shop.kill(Service::Delivery).await.unwrap();
    cancel(open, &open.admin.token, order).await.refused(503, "delivery_unavailable");
    assert_eq!(buyer.see_order(order).await.unwrap()["status"], "PAID");
    open.shop.restart(Service::Delivery).await.unwrap();
    cancel(open, &open.admin.token, order).await.is(200);
}

async fn without_orders_not_everything_is_refunded(open: &mut Open) {
    let (_, order) = paid(open).await;
    open.shop.kill(Service::Order).await.unwrap();
    let line = format!("POST /api/v1/payment/{order}/refund");
    open.ask(&open.admin.token, &line, json!({})).await.refused(503, "order_unavailable");
    open.ask(&open.admin.token, &line, json!({"amount": 1})).await.is(202);
    open.shop.restart(Service::Order).await.unwrap();
}

async fn without_redis_one_can_log_in(open: &mut Open) {
    let known = open.customer().await;
    open.shop.redis().kill().await.unwrap();
    let newcomer = open.customer().await;
    for customer in [&known, &newcomer] {
        open.ask(&customer.token, "GET /api/v1/auth/profile", Value::Null).await.is(200);
        open.ask(&customer.token, "GET /api/v1/products", Value::Null).await.is(200);
        open.ask(&customer.token, "GET /api/v1/order", Value::Null).await.is(200);
        open.ask(&customer.token, "GET /api/v1/cart", Value::Null).await.refused(503, "redis_unavailable");
    }
    open.shop.redis().restart().await.unwrap();
    open.shop.wait_ready(|_| {}).await.unwrap();
    cart::see(open, &known.token).await;
}

async fn without_databases_every_route_that_needs_one_is_a_503(open: &mut Open, documents: &Documents) {
    let subjects = subjects(open, documents).await;
    open.shop.postgres().unwrap().stop().await.unwrap();
    every_one_is_a_503(open, &subjects).await;
    open.shop.postgres().unwrap().restart().await.unwrap();
    all_is_well_again(open).await;
}

/// As while a copy of them is restored: PostgreSQL is there, and answers that it does not know them.
async fn without_the_databases_names_every_route_that_needs_one_is_a_503(
    open: &mut Open,
    documents: &Documents,
) {
    let subjects = subjects(open, documents).await;
    rename_databases(open, |name| (name.to_owned(), format!("{name}_old"))).await;
    every_one_is_a_503(open, &subjects).await;
    rename_databases(open, |name| (format!("{name}_old"), name.to_owned())).await;
    all_is_well_again(open).await;
    assert!(open.ledger().await.dead_letters().open().await.unwrap().is_empty());
}

type Subjects<'a> = Vec<(&'a Operation, Subject)>;

async fn subjects<'a>(open: &Open, documents: &'a Documents) -> Subjects<'a> {
    let mut subjects = Vec::new();
    for operation in documents.operations().filter(|operation| operation.service != Service::Cart) {
        subjects.push((operation, Subject::of(open, operation).await));
    }
    subjects
}

async fn every_one_is_a_503(open: &Open, subjects: &Subjects<'_>) {
    join_all(subjects.iter().map(async |(operation, subject)| {
        let admin = operation.is_for_administrators();
        let token = if admin { &open.admin.token } else { &subject.owner.token };
        let line = format!("{} {}", operation.method, subject.path);
        let reply = open.ask(token, &line, subject.body.clone()).await;
        reply.refused(503, what_is_away(operation));
    }))
    .await;
}

async fn all_is_well_again(open: &mut Open) {
    open.shop.wait_ready(|_| {}).await.unwrap();
    let (buyer, product) = (open.customer().await, open.product(1).await);
    open.paid(&buyer, product).await;
}

/// Renames every database of the shop, and cuts all sessions with it.
async fn rename_databases(open: &mut Open, rename: impl Fn(&str) -> (String, String)) {
    let server = open.shop.postgres().unwrap().url("postgres");
    let mut connection = PgConnection::connect(&server).await.unwrap();
    for variable in Service::SERVICES.into_iter().filter_map(Service::database) {
        let (from, to) = rename(open.shop.settings().get(variable));
        for statement in [
            format!("alter database {from} allow_connections false"),
            format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{from}'"),
            format!("alter database {from} rename to {to}"),
            format!("alter database {to} allow_connections true"),
        ] {
            connection.execute(AssertSqlSafe(statement)).await.unwrap();
        }
    }
}

/// What a route misses first without databases.
fn what_is_away(operation: &Operation) -> &'static str {
    match operation.name().as_str() {
        "POST /api/v1/payment/webhook" | "POST /api/v1/webhook" => "not_stored",
        "POST /api/v1/order" | "POST /api/v1/checkout" => "catalogue_unavailable",
        _ => "database_unavailable",
    }
}

async fn every_route_of_a_dead_service_is_a_503(open: &mut Open, documents: &Documents) {
    for service in Service::SERVICES {
        open.shop.kill(service).await.unwrap();
    }
    for operation in documents.operations() {
        let path = operation.path.replace(['{', '}'], "");
        open.ask(NOBODY, &format!("{} {path}", operation.method), Value::Null)
            .await
            .refused(503, "upstream_unavailable");
    }
    for service in Service::SERVICES {
        open.shop.restart(service).await.unwrap();
    }
    open.shop.wait_ready(|_| {}).await.unwrap();
}
