//! What is sold in a system, and who buys.

use hyper::body::Bytes;
use serde_json::{Value, json};

use super::load::{Call, once};
use crate::api::{number, text};
use crate::settings::Settings;
use crate::{Error, Result};

const PRODUCTS: usize = 1000;
const CUSTOMERS: usize = 100;
/// Their logins would end the customers' sessions.
const LOGINS: usize = 32;
pub(super) const LINES: usize = 5;
/// Connections that send what is not measured.
pub(super) const SETUP_CONNECTIONS: usize = 16;
const PASSWORD: &str = "correct horse battery";
#[derive(Debug)]
pub(super) struct Fixtures {
    pub(super) admin: String,
    pub(super) products: Vec<i64>,
    /// Access tokens, one for each customer.
    pub(super) customers: Vec<String>,
    pub(super) logins: Vec<Value>,
}

impl Fixtures {
    pub(super) async fn make(address: &str, settings: &Settings) -> Result<Self> {
        let admin = json!({"email": settings.get("ADMIN_EMAIL"), "password": settings.get("ADMIN_PASSWORD")});
        let admin = tokens(address, vec![admin]).await?.remove(0);
        let product = |n| {
            json!({"name": format!("Bench product {n:04}"), "description": "Made by stack bench, to be bought often",
                   "price": 50_000, "stock": 1_000_000, "category_ids": []})
        };
        let add = |n| Call::post("/api/v1/products", &product(n), 201).by(&admin);
        let made = once(address, (0..PRODUCTS).map(add).collect(), SETUP_CONNECTIONS).await?;
        let products = made.iter().map(|made| number(&parsed(made)?, "/product/id"));
        let products = products.collect::<Result<_>>()?;
        let mut accounts = register(address, CUSTOMERS + LOGINS).await?;
        let logins = accounts.split_off(CUSTOMERS);
        let customers = tokens(address, accounts).await?;
        Ok(Self { admin, products, customers, logins })
    }

    /// Gives each of these customers a cart with this many products.
    pub(super) async fn fill_carts(&self, address: &str, customers: usize, lines: usize) -> Result<()> {
        let empty = |token| Call::new(http::Method::DELETE, "/api/v1/cart", 200).by(token);
        let empty = self.customers.iter().take(customers).map(|token| empty(token));
        once(address, empty.collect(), SETUP_CONNECTIONS).await?;
        once(address, self.adds(customers, lines), SETUP_CONNECTIONS).await.map(drop)
    }

    /// One more unit of so many products for each of these customers.
    pub(super) fn adds(&self, customers: usize, lines: usize) -> Vec<Call> {
        let add = |(customer, token): (usize, &String), line: usize| {
            let product = self.products[(customer * LINES + line) % self.products.len()];
            Call::post("/api/v1/cart/item", &json!({"product_id": product, "quantity": 1}), 200).by(token)
        };
        let customers: Vec<_> = self.customers.iter().take(customers).enumerate().collect();
        (0..lines).flat_map(|line| customers.iter().map(move |customer| add(*customer, line))).collect()
    }
}

async fn register(address: &str, count: usize) -> Result<Vec<Value>> {
    let run = rand::random::<u64>() >> 24;
    let account = |n| {
        let username = format!("bench-{run:010x}-{n}");
        json!({"email": format!("{username}@example.com"), "username": username, "password": PASSWORD})
    };
    let accounts: Vec<Value> = (0..count).map(account).collect();
    let calls = accounts.iter().map(|account| Call::post("/api/v1/register", account, 201));
    once(address, calls.collect(), SETUP_CONNECTIONS).await?;
    Ok(accounts.into_iter().map(|it| json!({"email": it["email"], "password": it["password"]})).collect())
}

async fn tokens(address: &str, logins: Vec<Value>) -> Result<Vec<String>> {
    let calls = logins.iter().map(|login| Call::post("/api/v1/login", login, 200));
    let answers = once(address, calls.collect(), SETUP_CONNECTIONS).await?;
    answers.iter().map(|answer| text(&parsed(answer)?, "/access_token").map(str::to_owned)).collect()
}

pub(super) fn parsed(body: &Bytes) -> Result<Value> {
    serde_json::from_slice(body).map_err(|error| Error::other(format!("an answer is no JSON: {error}")))
}
