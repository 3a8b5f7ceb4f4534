//! From POST /order to a payment page, over and over.

use tokio::time::Instant;

use super::Cast;
use super::teller::Teller;
use crate::Result;
use crate::measure::Samples;
use crate::people::Customer;

/// Each customer orders this often, which stays below the limit of open orders.
const ORDERS_EACH: usize = 10;

pub(super) async fn measure(tell: &Teller, cast: &Cast, orders: usize) -> Result<()> {
    if orders == 0 {
        return Ok(());
    }
    Teller::begin("How fast it is");
    let stock = i64::try_from(orders).unwrap_or(i64::MAX);
    let product = cast.admin.add_product(50_000, stock).await?;
    let mut samples = Samples::default();
    let mut placed = Vec::new();
    while placed.len() < orders {
        let customer = Customer::arrive(&cast.api).await?;
        customer.add_to_cart(product, 1).await?;
        for _ in 0..ORDERS_EACH.min(orders - placed.len()) {
            let began = Instant::now();
            let order = customer.order().await?;
            customer.payment_token(order).await?;
            samples.add(began.elapsed());
            placed.push((customer.clone(), order));
        }
    }
    println!(
        "      POST /order to AWAITING_PAYMENT, {orders} orders one after the other: {}",
        samples.summary()
    );
    tell.step(async {
        for (customer, order) in &placed {
            customer.cancel(*order).await?;
        }
        cast.admin.wait_for_stock(product, stock).await?;
        cast.admin.remove_product(product).await?;
        Ok(((), format!("all {orders} are cancelled again and their goods are back")))
    })
    .await
}
