//! What people do beside buying: accounts, addresses, the catalogue, and what an administrator decides about orders.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::actors::{Customer, page_token};
use crate::chaos::traffic::{PRICE, Traffic};

const PASSWORD: &str = "correct horse battery";
const PAUSE: Duration = Duration::from_millis(200);

impl Traffic<'_> {
    /// One visit after the other, until it is over. What a visitor does not get because somebody has died is no loss.
    pub(super) async fn visits(&self, over: watch::Receiver<bool>) {
        while !*over.borrow() {
            let _ = self.keep_an_account().await;
            let _ = self.keep_the_catalogue().await;
            let _ = self.cancel_what_is_paid().await;
            let _ = self.review_a_payment().await;
            sleep(PAUSE).await;
        }
    }

    async fn act(&self, method: Method, path: &str, token: &str, body: Value) -> Option<Value> {
        let request = || {
            let request = self.api.request(method.clone(), path);
            let request = if token.is_empty() { request } else { request.bearer_auth(token) };
            if body.is_null() { request } else { request.json(&body) }
        };
        self.ask("a visit", request).await.map(|reply| reply.body)
    }

    async fn keep_an_account(&self) -> Option<()> {
        let name = format!("visitor-{:010x}", rand::random::<u64>() >> 24);
        let email = format!("{name}@example.com");
        let login = json!({"email": email, "password": PASSWORD});
        let registration = json!({"username": name, "email": email, "password": PASSWORD});
        self.act(Method::POST, "/api/v1/register", "", registration).await?;
        let session = self.act(Method::POST, "/api/v1/login", "", login.clone()).await?;
        let refresh = json!({"refresh_token": session["refresh_token"]});
        let session = self.act(Method::POST, "/api/v1/auth/refresh", "", refresh).await?;
        let token = session["access_token"].as_str()?;
        let profile = json!({"username": format!("{name}-2")});
        self.act(Method::PUT, "/api/v1/auth/profile", token, profile).await?;
        let mut address = json!({"label": "Home", "recipient": "Ani Wijaya", "phone": "+62 811 2345 678",
            "street": "Jl. Mawar 1", "city": "Bandung", "postal_code": "40111", "country": "ID"});
        let made = self.act(Method::POST, "/api/v1/auth/addresses", token, address.clone()).await?;
        let path = format!("/api/v1/auth/addresses/{}", made["id"].as_i64()?);
        address["is_default"] = json!(true);
        self.act(Method::PUT, &path, token, address).await?;
        self.act(Method::DELETE, &path, token, Value::Null).await?;
        let passwords = json!({"old_password": PASSWORD, "new_password": "battery staple horse"});
        let session = self.act(Method::POST, "/api/v1/auth/change-password", token, passwords).await?;
        let end = json!({"refresh_token": session["refresh_token"]});
        self.act(Method::POST, "/api/v1/auth/logout", session["access_token"].as_str()?, end).await.map(drop)
    }

    async fn keep_the_catalogue(&self) -> Option<()> {
        let (admin, name) = (self.admin_token(), format!("Visit {:010x}", rand::random::<u64>() >> 24));
        let category = self.act(Method::POST, "/api/v1/categories", &admin, json!({"name": name})).await?;
        let category = format!("/api/v1/categories/{}", category["category"]["id"].as_i64()?);
        let renamed = json!({"name": format!("{name} again")});
        self.act(Method::PUT, &category, &admin, renamed).await?;
        self.act(Method::DELETE, &category, &admin, Value::Null).await?;
        let product = json!({"name": name, "price": PRICE, "stock": 1, "category_ids": []});
        let product = self.act(Method::POST, "/api/v1/products", &admin, product).await?;
        let product = format!("/api/v1/products/{}", product["product"]["id"].as_i64()?);
        self.act(Method::PUT, &product, &admin, json!({"price": PRICE + 1})).await?;
        let more = json!({"add": 4, "reason": "a delivery from the maker"});
        self.act(Method::POST, &format!("{product}/stock"), &admin, more).await.map(drop)
    }

    /// An administrator cancels a paid order: its delivery is stopped, its goods and its money return.
    async fn cancel_what_is_paid(&self) -> Option<()> {
        self.order_paid_by(json!({"payment_type": "gopay"}), async |buyer, order| {
            self.wait(buyer, order, &["PAID"]).await?;
            let path = format!("/api/v1/order/{order}/cancel");
            self.act(Method::POST, &path, &self.admin_token(), json!({})).await.map(drop)
        })
        .await
    }

    /// An administrator refuses another amount than was asked for: it is refunded.
    async fn review_a_payment(&self) -> Option<()> {
        let less = json!({"payment_type": "gopay", "gross_amount": PRICE - 1});
        self.order_paid_by(less, async |buyer, order| {
            let path = format!("/api/v1/payment/{order}");
            let in_review = |seen: &Value| (seen["status"] == "REVIEW").then_some(());
            self.poll("GET /payment/{id}", &path, buyer, in_review).await?;
            let refuse = json!({"decision": "refund"});
            self.act(Method::POST, &format!("{path}/review"), &self.admin_token(), refuse).await.map(drop)
        })
        .await
    }

    async fn order_paid_by(
        &self,
        mut how: Value,
        then: impl AsyncFnOnce(&Customer, i64) -> Option<()>,
    ) -> Option<()> {
        let buyer = self.take()?;
        let bought = async {
            let order = self.place(&buyer.customer, self.product).await??;
            let seen = self.wait(&buyer.customer, order, &["AWAITING_PAYMENT", "FAILED"]).await?;
            how["token"] = json!(page_token(&seen).ok()?);
            let pay = || self.api.request(Method::POST, "/midtrans/sandbox/pay").json(&how);
            self.ask("the payment page", pay).await?;
            then(&buyer.customer, order).await
        };
        let done = bought.await;
        self.put_back([buyer]);
        done
    }
}
