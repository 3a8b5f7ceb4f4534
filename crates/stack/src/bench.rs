//! `stack bench`: a first, bounded load on a running shop. It reports and asserts nothing.

use std::path::Path;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::Instant;

use crate::Result;
use crate::actors::{Admin, Customer};
use crate::api::Api;
use crate::local::identity::{Identity, resident_bytes};
use crate::measure::Samples;
use crate::settings::Settings;
use crate::shop::{Service, pid_file};

/// How much load, and for how long.
#[derive(Debug, Clone)]
pub struct Load {
    /// Customers who buy at the same time.
    pub customers: usize,
    /// No new round begins after this.
    pub duration: Duration,
    /// Nobody does more rounds than this.
    pub rounds: usize,
}

/// What the customers' requests took.
#[derive(Debug, Default)]
struct Results {
    browse: Samples,
    cart: Samples,
    order: Samples,
    cancel: Samples,
}

/// Loads the shop behind `url` and prints what it measured; memory too, if its processes are described in `data`.
pub async fn run(url: &str, load: &Load, settings: &Settings, data: &Path) -> Result<()> {
    print_memory(data);
    let api = Api::new(url)?;
    let admin = Admin::log_in(&api, settings.get("ADMIN_EMAIL"), settings.get("ADMIN_PASSWORD")).await?;
    let product = admin.add_product(10_000, 1_000_000).await?;
    let mut customers = Vec::new();
    for _ in 0..load.customers {
        customers.push(Customer::register(&api).await?);
    }
    println!("\n{} customers at once, for at most {} s", load.customers, load.duration.as_secs());
    let began = Instant::now();
    let shoppers =
        customers.iter().map(|customer| shop(&api, customer, product, load, began + load.duration));
    let mut all = Results::default();
    for result in join_all(shoppers).await {
        let one = result?;
        all.browse.merge(one.browse);
        all.cart.merge(one.cart);
        all.order.merge(one.order);
        all.cancel.merge(one.cancel);
    }
    let took = began.elapsed();
    print_row("product list", &all.browse, took);
    print_row("cart add", &all.cart, took);
    print_row("order to AWAITING_PAYMENT", &all.order, took);
    print_row("cancel", &all.cancel, took);
    admin.wait_for_stock(product, 1_000_000).await?;
    admin.remove_product(product).await
}

/// Browses, fills the cart, orders, waits for the payment page and cancels, over and over.
async fn shop(api: &Api, customer: &Customer, product: i64, load: &Load, end: Instant) -> Result<Results> {
    let mut results = Results::default();
    for _ in 0..load.rounds {
        if Instant::now() > end {
            break;
        }
        let began = Instant::now();
        api.get("/api/v1/products?limit=20", None).await?.expect(200)?;
        results.browse.add(began.elapsed());
        let began = Instant::now();
        customer.add_to_cart(product, 1).await?;
        results.cart.add(began.elapsed());
        let began = Instant::now();
        let order = customer.order().await?;
        customer.payment_token(order).await?;
        results.order.add(began.elapsed());
        let began = Instant::now();
        customer.cancel(order).await?;
        results.cancel.add(began.elapsed());
        customer.empty_cart().await?;
    }
    Ok(results)
}

fn print_row(name: &str, samples: &Samples, took: Duration) {
    let count = u32::try_from(samples.count()).unwrap_or(u32::MAX);
    let rate = f64::from(count) / took.as_secs_f64();
    println!("  {name:<28} {count:>7} x  {rate:>7.1}/s  {}", samples.summary());
}

#[allow(clippy::cast_precision_loss, reason = "a size for a person to read")]
fn print_memory(data: &Path) {
    let sizes: Vec<(&str, u64)> = Service::SIX
        .into_iter()
        .filter_map(|service| {
            let process = Identity::read(&pid_file(data, service.name())).filter(Identity::is_alive)?;
            Some((service.name(), resident_bytes(process.pid)?))
        })
        .collect();
    if sizes.is_empty() {
        println!("Memory: the processes are not described in {}", data.display());
        return;
    }
    println!("Resident memory before the load");
    let mib = |bytes: u64| bytes as f64 / (1024.0 * 1024.0);
    for (name, bytes) in &sizes {
        println!("  {name:<28} {:>7.1} MiB", mib(*bytes));
    }
    println!("  {:<28} {:>7.1} MiB", "together", mib(sizes.iter().map(|(_, bytes)| bytes).sum()));
}
