//! A shop for one test, on ports of its own.

use stack::{
    actors::{Admin, Customer},
    api::Api,
    shop::{Shop, ShopOptions},
};

/// Opens a shop on free ports.
pub async fn open() -> Shop {
    Shop::start(ShopOptions::for_test(shared_postgres()).unwrap(), |_| {}).await.unwrap()
}

#[allow(clippy::disallowed_methods, reason = "the runner of the tests hands its PostgreSQL over this way")]
fn shared_postgres() -> Option<String> {
    std::env::var("TEST_POSTGRES_URL").ok()
}

/// A shop with a customer and goods in it.
pub struct Actors {
    pub shop: Shop,
    pub customer: Customer,
    product: i64,
}

impl Actors {
    /// Opens a shop with somebody in it.
    pub async fn open() -> Self {
        let shop = open().await;
        let api = Api::new(shop.base_url()).unwrap();
        let admin = Admin::log_in(&api, "admin@admin.com", "admin123").await.unwrap();
        let product = admin.add_product(125_000, 10).await.unwrap();
        Self { shop, customer: Customer::register(&api).await.unwrap(), product }
    }

    /// An order that can be paid, and the address of its payment page.
    pub async fn awaiting(&self) -> (i64, String) {
        let order = self.customer.order_one(self.product).await.unwrap();
        let seen = self.customer.wait_for(order, &["AWAITING_PAYMENT"]).await.unwrap();
        (order, seen["payment_url"].as_str().unwrap().to_owned())
    }
}
