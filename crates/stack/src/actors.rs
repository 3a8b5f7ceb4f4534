//! The actors of every journey: a customer, the administrator, and the customer's bank.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::api::{Api, Reply, number, text};
use crate::{Error, Result};

/// How long anything asynchronous may take: the work of a killed process is taken over after 15 s.
pub const TIMEOUT: Duration = Duration::from_secs(100);
/// Short at first, to measure precisely; then longer, so that polling is not the load.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

const PASSWORD: &str = "correct horse battery";

/// Polls for something asynchronous, until a deadline.
#[derive(Debug)]
pub struct Poller {
    deadline: Instant,
    pause: Duration,
}

impl Poller {
    /// The deadline counts from now, and the first pauses are short.
    #[allow(clippy::new_without_default, reason = "it starts a clock")]
    pub fn new() -> Self {
        Self { deadline: Instant::now() + TIMEOUT, pause: FIRST_PAUSE }
    }

    /// Pauses before the next look.
    ///
    /// # Errors
    /// With this message once the deadline has passed.
    pub async fn wait(&mut self, otherwise: impl FnOnce() -> String) -> Result<()> {
        if Instant::now() > self.deadline {
            return Err(Error::other(format!("{} after {} s", otherwise(), TIMEOUT.as_secs())));
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 5 / 4).min(LONGEST_PAUSE);
        Ok(())
    }
}

/// Somebody who has an account, and buys.
#[derive(Debug, Clone)]
pub struct Customer {
    api: Api,
    /// The id of her account, as orders and events name it.
    pub id: i64,
    /// The name that she registered with, which nobody else has.
    pub username: String,
    /// Her access token, good for 15 minutes.
    pub token: String,
}

impl Customer {
    /// Registers somebody new and logs her in.
    pub async fn register(api: &Api) -> Result<Self> {
        let username = format!("demo-{:010x}", rand::random::<u64>() >> 24);
        let email = format!("{username}@example.com");
        let body = json!({"username": username, "email": email, "password": PASSWORD});
        let registered = api.post("/api/v1/register", None, &body).await?.expect(201)?;
        let token = login(api, &email, PASSWORD).await?;
        Ok(Self { api: api.clone(), id: number(&registered, "/user/id")?, username, token })
    }

    /// Logs her in once more, for a token that lives longer.
    pub async fn log_in_again(&mut self) -> Result<()> {
        let email = format!("{}@example.com", self.username);
        self.token = login(&self.api, &email, PASSWORD).await?;
        Ok(())
    }

    /// Puts units of a product into the cart.
    pub async fn add_to_cart(&self, product: i64, quantity: i64) -> Result<Value> {
        let body = json!({"product_id": product, "quantity": quantity});
        self.api.post("/api/v1/cart/item", Some(&self.token), &body).await?.expect(200)
    }

    /// Her cart, as GET /cart shows it.
    pub async fn cart(&self) -> Result<Value> {
        self.api.get("/api/v1/cart", Some(&self.token)).await?.expect(200)
    }

    /// Takes everything out of the cart.
    pub async fn empty_cart(&self) -> Result<()> {
        let reply =
            self.api.send(self.api.request(Method::DELETE, "/api/v1/cart").bearer_auth(&self.token)).await?;
        reply.expect(200).map(drop)
    }

    /// Orders the whole cart, whatever the answer is.
    pub async fn try_order(&self) -> Result<Reply> {
        self.api.post("/api/v1/order", Some(&self.token), &json!({})).await
    }

    /// Orders the whole cart, and returns the id of the order.
    pub async fn order(&self) -> Result<i64> {
        number(&self.try_order().await?.expect(201)?, "/order_id")
    }

    /// Orders one unit of a product and nothing else.
    pub async fn order_one(&self, product: i64) -> Result<i64> {
        self.empty_cart().await?;
        self.add_to_cart(product, 1).await?;
        self.order().await
    }

    /// One of her orders, as GET /order/{id} shows it.
    pub async fn see_order(&self, order: i64) -> Result<Value> {
        self.api.get(&format!("/api/v1/order/{order}"), Some(&self.token)).await?.expect(200)
    }

    /// Waits until an order has one of these statuses.
    pub async fn wait_for(&self, order: i64, statuses: &[&str]) -> Result<Value> {
        let mut poller = Poller::new();
        loop {
            let seen = self.see_order(order).await?;
            let status = text(&seen, "/status")?;
            if statuses.contains(&status) {
                return Ok(seen);
            }
            poller.wait(|| format!("order {order} is {status}, not {statuses:?},")).await?;
        }
    }

    /// Waits until an order can be paid, and returns the token of its payment page.
    pub async fn payment_token(&self, order: i64) -> Result<String> {
        let seen = self.wait_for(order, &["AWAITING_PAYMENT"]).await?;
        page_token(&seen).map(str::to_owned)
    }

    /// Cancels an order, as far as the buyer may.
    pub async fn cancel(&self, order: i64) -> Result<Value> {
        let path = format!("/api/v1/order/{order}/cancel");
        self.api.post(&path, Some(&self.token), &json!({"reason": "changed my mind"})).await?.expect(200)
    }

    /// Waits until an order has a delivery.
    pub async fn wait_for_delivery(&self, order: i64) -> Result<Value> {
        let mut poller = Poller::new();
        loop {
            let path = format!("/api/v1/delivery?order_id={order}");
            let deliveries = self.api.get(&path, Some(&self.token)).await?.expect(200)?;
            if let Some(delivery) = deliveries.get(0) {
                return Ok(delivery.clone());
            }
            poller.wait(|| format!("order {order} has no delivery")).await?;
        }
    }
}

/// Logs somebody in and returns the access token.
pub async fn login(api: &Api, email: &str, password: &str) -> Result<String> {
    let body = json!({"email": email, "password": password});
    let tokens = api.post("/api/v1/login", None, &body).await?.expect(200)?;
    text(&tokens, "/access_token").map(str::to_owned)
}

/// The token of the payment page of an order: what the path of its URL ends with.
pub fn page_token(order: &Value) -> Result<&str> {
    let url = text(order, "/payment_url")?;
    Ok(url.rsplit('/').next().and_then(|last| last.split('?').next()).unwrap_or_default())
}

/// The administrator of the shop.
#[derive(Debug, Clone)]
pub struct Admin {
    api: Api,
    /// Her access token, good for 15 minutes.
    pub token: String,
}

impl Admin {
    /// Logs her in, with the credentials of the settings.
    pub async fn log_in(api: &Api, email: &str, password: &str) -> Result<Self> {
        Ok(Self { api: api.clone(), token: login(api, email, password).await? })
    }

    /// Puts a product on sale, and returns its id.
    pub async fn add_product(&self, price: i64, stock: i64) -> Result<i64> {
        let name = format!("Demo product {:010x}", rand::random::<u64>() >> 24);
        let body = json!({"name": name, "description": "Made by stack", "price": price, "stock": stock,
                          "category_ids": []});
        let made = self.api.post("/api/v1/products", Some(&self.token), &body).await?.expect(201)?;
        number(&made, "/product/id")
    }

    /// Takes a product off sale.
    pub async fn remove_product(&self, product: i64) -> Result<()> {
        let path = format!("/api/v1/products/{product}");
        let reply = self.api.send(self.api.request(Method::DELETE, &path).bearer_auth(&self.token)).await?;
        reply.expect(200).map(drop)
    }

    /// The free units of a product.
    pub async fn stock(&self, product: i64) -> Result<i64> {
        let path = format!("/api/v1/products/{product}");
        number(&self.api.get(&path, Some(&self.token)).await?.expect(200)?, "/product/stock")
    }

    /// Waits until a product has this many free units.
    pub async fn wait_for_stock(&self, product: i64, expected: i64) -> Result<()> {
        let mut poller = Poller::new();
        loop {
            let stock = self.stock(product).await?;
            if stock == expected {
                return Ok(());
            }
            poller.wait(|| format!("product {product} has {stock} free units, not {expected},")).await?;
        }
    }

    /// Moves a delivery on to a status, with a tracking number if the goods leave.
    pub async fn set_delivery(&self, delivery: i64, status: &str, tracking: Option<&str>) -> Result<Value> {
        let mut body = json!({"status": status});
        if let Some(tracking) = tracking {
            body["tracking_number"] = json!(tracking);
        }
        let path = format!("/api/v1/delivery/{delivery}/status");
        self.api.call(Method::PUT, &path, Some(&self.token), &body).await?.expect(200)
    }
}

/// What happens on the payment page and at the bank, through the control API of the local Midtrans.
#[derive(Debug, Clone)]
pub struct Bank {
    api: Api,
}

impl Bank {
    /// The bank of the shop behind this API.
    pub fn of(api: &Api) -> Self {
        Self { api: api.clone() }
    }

    /// Acts on a payment page. `how` may hold every member of the control API's `pay` but the token.
    pub async fn act(&self, token: &str, how: &Value) -> Result<Value> {
        let mut body = how.clone();
        body["token"] = json!(token);
        self.api.post("/midtrans/sandbox/pay", None, &body).await?.expect(200)
    }

    /// Pays by a card that its bank accepts.
    pub async fn pay(&self, token: &str) -> Result<Value> {
        self.act(token, &json!({"payment_type": "credit_card", "card_number": "4811111111111114"})).await
    }
}
