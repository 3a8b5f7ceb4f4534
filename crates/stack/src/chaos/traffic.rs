//! Customers who buy in every way, steadily, whatever happens to the shop. Each repeats what was not answered, with the same
//! Idempotency-Key, as an app on a phone would.

use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use rand::seq::IndexedRandom;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::journeys::JOURNEYS;
use super::record::{End, Record, Request};
use crate::Result;
use crate::actors::{Admin, Customer};
use crate::api::{Api, Reply};
use crate::settings::Settings;

/// A buyer gives up what is not answered for this long; no fault lasts that long.
pub(super) const GIVES_UP: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(300);
/// How long one request may take before its buyer tries again.
const ANSWER: Duration = Duration::from_secs(10);
/// How old a token may be before its owner logs in again; it lives for 15 minutes.
const TOKEN: Duration = Duration::from_mins(10);
const BUYERS: usize = 60;
/// Goods of every price class are there in plenty; of some there is one unit.
const PLENTY: i64 = 1_000_000;
pub(super) const PRICE: i64 = 20_000;

/// All who buy, with what they share.
pub(super) struct Traffic<'a> {
    pub(super) api: &'a Api,
    admin: Mutex<Admin>,
    credentials: (String, String),
    pub(super) record: &'a Record,
    pub(super) product: i64,
    /// Those who buy nothing at the moment: a cart is for one purchase at a time.
    free: Mutex<Vec<Buyer>>,
}

/// Somebody who is logged in, since when.
pub(super) struct Buyer {
    pub(super) customer: Customer,
    since: Instant,
}

impl Buyer {
    async fn renew(&mut self) {
        if self.since.elapsed() > TOKEN && self.customer.log_in_again().await.is_ok() {
            self.since = Instant::now();
        }
    }
}

impl<'a> Traffic<'a> {
    pub(super) async fn prepare(api: &'a Api, settings: &Settings, record: &'a Record) -> Result<Self> {
        let credentials = ["ADMIN_EMAIL", "ADMIN_PASSWORD"].map(|name| settings.get(name).to_owned());
        let admin = Admin::log_in(api, &credentials[0], &credentials[1]).await?;
        let product = admin.add_product(PRICE, PLENTY).await?;
        let mut free = Vec::new();
        for _ in 0..BUYERS {
            free.push(Buyer { customer: Customer::register(api).await?, since: Instant::now() });
        }
        let (admin, free) = (Mutex::new(admin), Mutex::new(free));
        Ok(Self { api, admin, credentials: credentials.into(), record, product, free })
    }

    /// Logs the administrator in again, again and again.
    pub(super) async fn renew_admin(&self) {
        loop {
            sleep(TOKEN).await;
            if let Ok(admin) = Admin::log_in(self.api, &self.credentials.0, &self.credentials.1).await {
                *self.admin.lock().unwrap_or_else(PoisonError::into_inner) = admin;
            }
        }
    }

    pub(super) fn admin_token(&self) -> String {
        self.admin.lock().unwrap_or_else(PoisonError::into_inner).token.clone()
    }

    /// Starts purchases at this rate, whether the ones before have ended or not, until it is over; then waits for their
    /// ends.
    pub(super) async fn run(&self, per_second: f64, mut over: watch::Receiver<bool>) {
        let mut ticks = interval(Duration::from_secs_f64(1.0 / per_second));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut purchases = FuturesUnordered::new();
        let mut renewal = pin!(self.renew_admin());
        loop {
            tokio::select! {
                () = &mut renewal => {}
                _ = ticks.tick() => if let Some(buyer) = self.take() { purchases.push(self.purchase(buyer)) },
                Some(()) = purchases.next() => {}
                _ = over.wait_for(|over| *over) => break,
            }
        }
        while purchases.next().await.is_some() {}
    }

    pub(super) fn take(&self) -> Option<Buyer> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    pub(super) fn put_back(&self, buyers: impl IntoIterator<Item = Buyer>) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).splice(0..0, buyers);
    }

    async fn purchase(&self, mut buyer: Buyer) {
        buyer.renew().await;
        let customer = &buyer.customer;
        let chosen = JOURNEYS.choose_weighted(&mut rand::rng(), |(_, share)| *share);
        let name = chosen.map_or("paid", |(name, _)| name);
        let end = match name {
            "the last unit" => self.last_unit(customer).await,
            name => self.buy(customer, self.product, name).await,
        };
        self.record.end(name, end.unwrap_or(End::Abandoned));
        self.put_back([buyer]);
    }

    pub(super) async fn poll<T>(
        &self,
        what: &'static str,
        path: &str,
        buyer: &Customer,
        found: impl Fn(&Value) -> Option<T>,
    ) -> Option<T> {
        let began = Instant::now();
        while began.elapsed() < GIVES_UP {
            let get = || self.api.request(Method::GET, path).bearer_auth(&buyer.token);
            let seen = self.ask(what, get).await?;
            if let Some(found) = found(&seen.body) {
                return Some(found);
            }
            sleep(PAUSE).await;
        }
        None
    }

    pub(super) fn request(&self, method: Method, path: &str, token: &str, body: &Value) -> RequestBuilder {
        self.api.request(method, path).bearer_auth(token).json(body)
    }

    pub(super) async fn post(
        &self,
        what: &'static str,
        path: &str,
        token: &str,
        body: &Value,
    ) -> Option<Reply> {
        self.ask(what, || self.request(Method::POST, path, token, body)).await
    }

    /// Sends a request until it is answered by something that is not the shop's own failure.
    pub(super) async fn ask(
        &self,
        what: &'static str,
        request: impl Fn() -> RequestBuilder,
    ) -> Option<Reply> {
        let first = Instant::now();
        while first.elapsed() < GIVES_UP {
            let began = Instant::now();
            let answer = timeout(ANSWER, self.api.send(request())).await;
            let failure = match &answer {
                Ok(Ok(reply)) if reply.status < 500 && reply.status != 429 => None,
                Ok(Ok(reply)) => Some(format!("{} {}", reply.status, reply.code())),
                Ok(Err(error)) => Some(error.to_string()),
                Err(_) => Some(format!("no answer within {} s", ANSWER.as_secs())),
            };
            let answered = failure.is_none();
            self.record.request(Request { began, ended: Instant::now(), what, failure });
            if let (true, Ok(Ok(reply))) = (answered, answer) {
                return Some(reply);
            }
            sleep(PAUSE).await;
        }
        None
    }

    /// Buys once, up to the payment page: the shop works if this does.
    pub(super) async fn probe(&self) -> Option<()> {
        let mut buyer = loop {
            match self.take() {
                Some(buyer) => break buyer,
                None => sleep(PAUSE).await,
            }
        };
        buyer.renew().await;
        let works = self.reach_the_page(&buyer.customer).await;
        self.put_back([buyer]);
        works
    }

    async fn reach_the_page(&self, customer: &Customer) -> Option<()> {
        let order = self.place(customer, self.product).await??;
        self.wait(customer, order, &["AWAITING_PAYMENT"]).await?;
        // Answered by 503 as long as one of the six is not ready.
        self.ask("GET /health", || self.api.request(Method::GET, "/health")).await.map(drop)
    }
}
