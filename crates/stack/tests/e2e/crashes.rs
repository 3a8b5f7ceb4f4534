//! Processes that die in the middle of an order.

use futures::future::join_all;
use stack::shop::Service;

use crate::harness::Open;

#[tokio::test]
async fn orders_go_on_after_a_kill_of_any_service() {
    let mut open = Open::shop().await;
    let mut orders = Vec::new();
    for service in Service::ALL {
        let (buyer, product) = (open.customer().await, open.product(3).await);
        let order = buyer.order_one(product).await.unwrap();
        killed(&mut open, service).await;
        orders.push((service, buyer, product, order));
    }
    let tokens = orders.iter().map(async |(service, buyer, _, order)| {
        let token = buyer.payment_token(*order).await;
        token.unwrap_or_else(|error| panic!("after killing {}: {error}", service.name()))
    });
    let tokens = join_all(tokens).await;
    for ((service, ..), token) in orders.iter().zip(&tokens) {
        open.bank.pay(token).await.unwrap();
        killed(&mut open, *service).await;
    }
    let open_now = &open;
    join_all(orders.iter().map(async |(service, buyer, product, order)| {
        let paid = buyer.wait_for(*order, &["PAID"]).await;
        assert!(paid.is_ok(), "after killing {}: {paid:?}", service.name());
        open_now.delivered(buyer, *order).await;
        assert_eq!(open_now.admin.stock(*product).await.unwrap(), 2, "after killing {}", service.name());
    }))
    .await;
    open.close().await;
}

async fn killed(open: &mut Open, service: Service) {
    open.shop.kill(service).await.unwrap();
    open.shop.restart(service).await.unwrap();
}

#[tokio::test]
async fn an_order_goes_on_after_a_kill_of_redis_and_after_it_lost_everything() {
    let mut open = Open::shop().await;
    let (buyer, product) = (open.customer().await, open.product(5).await);
    let order = buyer.order_one(product).await.unwrap();
    open.shop.redis().kill().await.unwrap();
    open.shop.redis().restart().await.unwrap();
    let token = buyer.payment_token(order).await.unwrap();
    open.bank.pay(&token).await.unwrap();
    open.delivered(&buyer, order).await;

    let order = buyer.order_one(product).await.unwrap();
    delete_all_events(&open).await;
    let token = buyer.payment_token(order).await.unwrap();
    open.bank.pay(&token).await.unwrap();
    delete_all_events(&open).await;
    open.delivered(&buyer, order).await;
    assert_eq!(open.admin.stock(product).await.unwrap(), 3);
    open.close().await;
}

async fn delete_all_events(open: &Open) {
    let mut redis = open.ledger().await.redis();
    let () = redis::cmd("FLUSHDB").query_async(&mut redis).await.unwrap();
}
