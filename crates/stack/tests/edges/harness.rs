//! A shop for one test, on ports of its own.

use stack::shop::{Shop, ShopOptions};

/// Opens a shop on free ports.
pub async fn open() -> Shop {
    Shop::start(ShopOptions::for_test(shared_postgres()).unwrap(), |_| {}).await.unwrap()
}

#[allow(clippy::disallowed_methods, reason = "the runner of the tests hands its PostgreSQL over this way")]
fn shared_postgres() -> Option<String> {
    std::env::var("TEST_POSTGRES_URL").ok()
}
