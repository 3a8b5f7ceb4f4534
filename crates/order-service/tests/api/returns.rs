//! Goods of an undeliverable order go back into the stock.

use order_service::domain::Status;
use tonic::Code;

use crate::shop::Shop;

#[tokio::test]
async fn each_line_goes_back_once_as_soon_as_it_is_taken() {
    let shop = Shop::open().await;
    let id = shop.order_in(Status::DeliveryFailed).await;
    assert!(shop.world.set().returned.is_empty(), "not while the event is handled");
    shop.world.set().down.insert("product", Code::Unavailable);
    assert_eq!(shop.run_due_jobs().await, 2);
    assert_eq!(shop.run_due_jobs().await, 0, "not at once again");

    shop.world.set().down.clear();
    shop.world.set().not_taken_back.push(3);
    shop.make_due(&["stock-return"]).await;
    assert_eq!(shop.run_due_jobs().await, 2);
    shop.world.set().not_taken_back.clear();
    shop.make_due(&["stock-return"]).await;
    assert_eq!(shop.run_due_jobs().await, 1);
    shop.make_due(&["stock-return"]).await;
    assert_eq!(shop.run_due_jobs().await, 0);

    let order = id.to_u64();
    let expected = [(order, 4, 1, "return".to_owned()), (order, 3, 2, "return".to_owned())];
    assert_eq!(shop.world.set().returned, expected);
    assert_eq!(
        shop.timeline(id).await[4..],
        ["note in DELIVERY_FAILED: StockReturned", "note in DELIVERY_FAILED: StockReturned"]
    );
}

#[tokio::test]
async fn nothing_goes_back_from_an_order_that_is_delivered() {
    let shop = Shop::open().await;
    shop.order_in(Status::Delivered).await;
    assert_eq!(shop.run_due_jobs().await, 0);
}
