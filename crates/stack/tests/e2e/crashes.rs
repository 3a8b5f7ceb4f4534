//! Processes that die in the middle of an order.

use stack::shop::Service;

use crate::harness::Open;

#[tokio::test]
async fn an_order_goes_on_after_a_kill_of_any_service() {
    let mut open = Open::shop().await;
    for service in Service::ALL {
        an_order_survives(&mut open, service).await;
    }
    open.close().await;
}

/// Kills the service twice: while the order gets its payment page, and while the payment becomes known.
async fn an_order_survives(open: &mut Open, service: Service) {
    let (buyer, product) = (open.customer().await, open.product(3).await);
    let order = buyer.order_one(product).await.unwrap();
    open.shop.kill(service).await.unwrap();
    open.shop.restart(service).await.unwrap();
    let token = buyer.payment_token(order).await.unwrap();

    open.bank.pay(&token).await.unwrap();
    open.shop.kill(service).await.unwrap();
    open.shop.restart(service).await.unwrap();
    let paid = buyer.wait_for(order, &["PAID"]).await;
    assert!(paid.is_ok(), "after killing {}: {paid:?}", service.name());
    open.delivered(&buyer, order).await;
    assert_eq!(open.admin.stock(product).await.unwrap(), 2, "after killing {}", service.name());
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
    forget_all_events(&open).await;
    let token = buyer.payment_token(order).await.unwrap();
    open.bank.pay(&token).await.unwrap();
    forget_all_events(&open).await;
    open.delivered(&buyer, order).await;
    assert_eq!(open.admin.stock(product).await.unwrap(), 3);
    open.close().await;
}

async fn forget_all_events(open: &Open) {
    let mut redis = open.books().await.redis();
    let () = redis::cmd("FLUSHDB").query_async(&mut redis).await.unwrap();
}
