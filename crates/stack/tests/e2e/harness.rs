//! A shop for one test, with the people in it.

use stack::api::Api;
use stack::ledger::Books;
use stack::people::{Admin, Bank, Customer};
use stack::shop::{Shop, ShopOptions};

pub struct Open {
    pub shop: Shop,
    pub api: Api,
    pub admin: Admin,
    pub bank: Bank,
}

impl Open {
    /// Opens a shop on free ports.
    pub async fn shop() -> Self {
        let options = ShopOptions::for_test(shared_postgres()).unwrap();
        let shop = Shop::start(options, |_| {}).await.unwrap();
        let api = Api::new(shop.base_url()).unwrap();
        let admin = Admin::arrive(&api, "admin@admin.com", "admin123").await.unwrap();
        Self { shop, bank: Bank::of(&api), api, admin }
    }

    /// A customer who just registered.
    pub async fn customer(&self) -> Customer {
        Customer::arrive(&self.api).await.unwrap()
    }

    /// A product with this many units.
    pub async fn product(&self, stock: i64) -> i64 {
        self.admin.add_product(20_000, stock).await.unwrap()
    }

    /// An order of one unit that waits for its payment, and the token of its payment page.
    pub async fn awaiting(&self, customer: &Customer, product: i64) -> (i64, String) {
        let order = customer.order_one(product).await.unwrap();
        let token = customer.payment_token(order).await.unwrap();
        (order, token)
    }

    /// An order of one unit that is paid.
    pub async fn paid(&self, customer: &Customer, product: i64) -> i64 {
        let (order, token) = self.awaiting(customer, product).await;
        self.bank.pay(&token).await.unwrap();
        customer.wait_for(order, &["PAID"]).await.unwrap();
        order
    }

    /// Sends a paid order on its way, and returns its delivery.
    pub async fn shipped(&self, customer: &Customer, order: i64) -> i64 {
        let delivery = customer.wait_for_delivery(order).await.unwrap()["id"].as_i64().unwrap();
        self.admin.set_delivery(delivery, "IN_TRANSIT", Some("TRACK-1")).await.unwrap();
        customer.wait_for(order, &["SHIPPED", "DELIVERED"]).await.unwrap();
        delivery
    }

    /// Brings a paid order home.
    pub async fn delivered(&self, customer: &Customer, order: i64) {
        let delivery = self.shipped(customer, order).await;
        self.admin.set_delivery(delivery, "DELIVERED", None).await.unwrap();
        customer.wait_for(order, &["DELIVERED"]).await.unwrap();
    }

    /// The books of this shop.
    pub async fn books(&self) -> Books {
        Books::of_shop(&self.shop).await.unwrap()
    }

    /// Waits until nothing is in flight, checks that the books balance, and closes the shop.
    pub async fn close(mut self) {
        let findings = self.books().await.settled().await.unwrap();
        assert!(
            findings.iter().all(stack::ledger::Finding::holds),
            "the books do not balance: {findings:#?}"
        );
        self.shop.check().unwrap();
        self.shop.stop().await.unwrap();
    }
}

#[allow(clippy::disallowed_methods, reason = "the runner of the tests hands its PostgreSQL over this way")]
pub fn shared_postgres() -> Option<String> {
    std::env::var("TEST_POSTGRES_URL").ok()
}
