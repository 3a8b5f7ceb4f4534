//! A shop for one test, with its actors.

use reqwest::Method;
use serde_json::Value;
use stack::actors::{Admin, Bank, Customer};
use stack::api::{Api, Reply};
use stack::ledger::Ledger;
use stack::shop::{Service, Shop, ShopOptions};
use tokio::process::Command;

/// The token of somebody who has none.
pub const NOBODY: &str = "";

pub struct Open {
    pub shop: Shop,
    pub api: Api,
    pub admin: Admin,
    pub bank: Bank,
}

impl Open {
    /// Opens a shop on free ports.
    pub async fn shop() -> Self {
        Self::of(ShopOptions::for_test(shared_postgres()).unwrap()).await
    }

    /// Opens a shop that remembers what it was asked.
    pub async fn of(options: ShopOptions) -> Self {
        let shop = Shop::start(options, |_| {}).await.unwrap();
        let api = Api::new(shop.base_url()).unwrap().recording();
        let admin = Admin::log_in(&api, "admin@admin.com", "admin123").await.unwrap();
        Self { shop, bank: Bank::of(&api), api, admin }
    }

    pub async fn customer(&self) -> Customer {
        Customer::register(&self.api).await.unwrap()
    }

    /// Asks what a line says, such as `PUT /api/v1/cart/item/7`; a null is no body.
    pub async fn ask(&self, token: &str, line: &str, body: Value) -> Reply {
        self.ask_with(token, line, &[], body).await
    }

    pub async fn ask_with(&self, token: &str, line: &str, headers: &[(&str, &str)], body: Value) -> Reply {
        let (method, path) = line.split_once(' ').unwrap();
        let mut request = self.api.request(Method::from_bytes(method.as_bytes()).unwrap(), path);
        if token != NOBODY {
            request = request.bearer_auth(token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_null() {
            request = request.json(&body);
        }
        self.api.send(request).await.unwrap()
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

    pub async fn delivered(&self, customer: &Customer, order: i64) {
        let delivery = self.shipped(customer, order).await;
        self.admin.set_delivery(delivery, "DELIVERED", None).await.unwrap();
        customer.wait_for(order, &["DELIVERED"]).await.unwrap();
    }

    pub async fn ledger(&self) -> Ledger {
        Ledger::of_shop(&self.shop).await.unwrap()
    }

    /// The program `stack`, which finds this shop as one that runs elsewhere, with this role in the databases.
    pub fn stack(&self, role: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stack"));
        command.env("STACK_HOSTS", "given").env("STACK_GATEWAY_URL", self.shop.base_url());
        command.env("STACK_REDIS_URL", self.shop.redis_url(0).trim_end_matches("/0"));
        for service in Service::SERVICES {
            let Some(url) = self.shop.database_url(service) else { continue };
            let mut url: reqwest::Url = url.parse().unwrap();
            url.set_username(role).unwrap();
            let name = service.database().unwrap().replace("_NAME", "_URL");
            command.env(format!("STACK_{name}"), String::from(url));
        }
        command
    }

    /// Waits until nothing is in flight, checks that the books balance, and closes the shop.
    pub async fn close(mut self) {
        let findings = self.ledger().await.settled().await.unwrap();
        assert!(
            findings.iter().all(stack::ledger::Finding::holds),
            "the books do not balance: {findings:#?}"
        );
        self.shop.check().unwrap();
        self.shop.stop().await.unwrap();
    }
}

/// What a test says about an answer.
pub trait Answer {
    /// The body of an answer with this status.
    fn is(self, status: u16) -> Value;
    /// The body of a problem with this status and code, complete in all its members.
    fn refused(self, status: u16, code: &str) -> Value;
    /// A 400 that names this member of the input.
    fn invalid(self, field: &str);
}

impl Answer for Reply {
    #[track_caller]
    fn is(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}: {}", self.asked, self.text);
        self.body
    }

    #[track_caller]
    fn refused(self, status: u16, code: &str) -> Value {
        assert_eq!((self.status, self.code()), (status, code), "{}: {}", self.asked, self.text);
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.asked);
        assert_eq!(self.body["status"], status, "{}", self.asked);
        assert_eq!(self.body["type"], format!("/problems/{code}"), "{}", self.asked);
        assert_eq!(self.body["correlation_id"], self.header("x-correlation-id"), "{}", self.asked);
        for member in ["title", "detail"] {
            assert!(self.body[member].is_string(), "{}: {member} in {}", self.asked, self.text);
        }
        if [429, 503].contains(&status) {
            assert!(self.header("retry-after").parse::<u32>().is_ok(), "{}: Retry-After", self.asked);
        }
        if status == 401 {
            assert_eq!(self.header("www-authenticate"), "Bearer", "{}", self.asked);
        }
        self.body
    }

    #[track_caller]
    fn invalid(self, field: &str) {
        let asked = self.asked.clone();
        let problem = self.refused(400, "invalid");
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        assert!(errors.iter().any(|error| error["field"] == field), "{asked}: {field:?} in {problem}");
        assert!(errors.iter().all(|error| error["message"].is_string()), "{asked}: {problem}");
    }
}

#[allow(clippy::disallowed_methods, reason = "the runner of the tests hands its PostgreSQL over this way")]
pub fn shared_postgres() -> Option<String> {
    std::env::var("TEST_POSTGRES_URL").ok()
}
