//! From POST /order to a payment page, over and over.

use tokio::time::Instant;

use super::Fixtures;
use super::reporter::Reporter;
use crate::Result;
use crate::actors::Customer;
use crate::measure::Latencies;

/// Each customer orders this often, which stays below the limit of open orders.
const ORDERS_EACH: usize = 10;

pub(super) async fn measure(out: &Reporter, fixtures: &Fixtures, orders: usize) -> Result<()> {
    if orders == 0 {
        return Ok(());
    }
    Reporter::begin("How fast it is");
    let stock = i64::try_from(orders).unwrap_or(i64::MAX);
    let product = fixtures.admin.add_product(50_000, stock).await?;
    let mut latencies = Latencies::new();
    let mut placed = Vec::new();
    while placed.len() < orders {
        let customer = Customer::register(&fixtures.api).await?;
        customer.add_to_cart(product, 1).await?;
        for _ in 0..ORDERS_EACH.min(orders - placed.len()) {
            let began = Instant::now();
            let order = customer.order().await?;
            customer.payment_token(order).await?;
            latencies.record(began.elapsed());
            placed.push((customer.clone(), order));
        }
    }
    println!(
        "      POST /order to AWAITING_PAYMENT, {orders} orders one after the other: {}",
        latencies.summary()
    );
    out.step(async {
        for (customer, order) in &placed {
            customer.cancel(*order).await?;
        }
        fixtures.admin.wait_for_stock(product, stock).await?;
        fixtures.admin.remove_product(product).await?;
        Ok(((), format!("all {orders} are cancelled again and their goods are back")))
    })
    .await
}
