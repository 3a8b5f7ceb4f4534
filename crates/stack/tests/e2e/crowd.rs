//! Many customers at once, and fewer goods than they want.

use futures::future::join_all;

use crate::harness::Open;

const BUYERS: usize = 50;

#[tokio::test]
async fn fifty_buyers_at_once_get_exactly_the_ten_units_there_are() {
    let open = Open::shop().await;
    let product = open.product(10).await;
    let buyers = join_all((0..BUYERS).map(|_| open.customer())).await;
    join_all(buyers.iter().map(|buyer| buyer.add_to_cart(product, 1))).await;
    let orders = join_all(buyers.iter().map(async |buyer| buyer.order().await.unwrap())).await;

    let ends = buyers.iter().zip(orders).map(async |(buyer, order)| {
        let seen = buyer.wait_for(order, &["AWAITING_PAYMENT", "FAILED"]).await.unwrap();
        let url = seen["payment_url"].as_str().unwrap_or_default().to_owned();
        (seen["status"].as_str().unwrap().to_owned(), url)
    });
    let ends = join_all(ends).await;
    let offered: Vec<&str> =
        ends.iter().filter(|(status, _)| status == "AWAITING_PAYMENT").map(|(_, url)| url.as_str()).collect();
    assert_eq!(offered.len(), 10);
    assert!(offered.iter().all(|url| url.contains("/midtrans/snap/")), "{offered:?}");
    assert_eq!(ends.iter().filter(|(status, _)| status == "FAILED").count(), 40);
    assert_eq!(open.admin.stock(product).await.unwrap(), 0);
    open.close().await;
}
