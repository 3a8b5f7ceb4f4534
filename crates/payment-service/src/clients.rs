//! The services that this one calls: Midtrans, and order-service.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chassis::{BoxError, context, failpoint::around, health::Health};
use contracts::OrderId;
use midtrans::{Client, Error, Refund, RefundReceipt, SnapPage, SnapRequest, Transaction};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use subtle::ConstantTimeEq;

use crate::domain::{AskedBy, Attempt, Observation};

/// The name under which health shows Midtrans: not ready means that it does not accept our key.
const HEALTH: &str = "midtrans";
/// An id that no payment has, for asking whether the key is accepted.
const PROBE_ID: &str = "is-the-server-key-accepted";
/// How long order-service may take to answer.
const DEADLINE: Duration = Duration::from_secs(2);

/// Midtrans' API. Readiness follows whether it accepts our key.
#[derive(Clone)]
pub struct Midtrans {
    client: Client,
    server_key: SecretString,
    health: Health,
    /// The key was accepted when it was last used.
    key_works: Arc<AtomicBool>,
}

impl Midtrans {
    /// A client; nothing is sent yet.
    ///
    /// # Errors
    /// If the configuration cannot be used.
    pub fn new(config: midtrans::Config, health: Health) -> Result<Self, Error> {
        let server_key = config.server_key.clone();
        // Until it is refused the key counts as good: a Midtrans that is away does not stop the shop from starting.
        health.set(HEALTH, true);
        Ok(Self { client: Client::new(config)?, server_key, health, key_works: Arc::default() })
    }

    pub async fn create_page(&self, request: &SnapRequest) -> Result<SnapPage, Error> {
        self.call("create_snap", self.client.create_snap(request)).await
    }

    /// What Midtrans has of an attempt: what was last done on its page, else what is known of it by its transaction, which for
    /// some methods is the only way. `None`: nobody has picked a method yet.
    pub async fn observe(&self, attempt: &Attempt) -> Result<Option<Observation>, Error> {
        if let Some(transaction) = self.status(&attempt.midtrans_order_id).await? {
            return Ok(Some(Observation { transaction, asked_by: AskedBy::OrderId }));
        }
        match &attempt.transaction_id {
            Some(transaction_id) => self.observe_transaction(transaction_id).await,
            None => Ok(None),
        }
    }

    /// Where a transaction stands; `None` if there is none.
    pub async fn observe_transaction(&self, transaction_id: &str) -> Result<Option<Observation>, Error> {
        let found = self.status(transaction_id).await?;
        Ok(found.map(|transaction| Observation { transaction, asked_by: AskedBy::TransactionId }))
    }

    /// The status of an order or transaction.
    async fn status(&self, id: &str) -> Result<Option<Transaction>, Error> {
        match self.call("status", self.client.status(id)).await {
            Ok(transaction) => Ok(Some(transaction)),
            Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Cancels a transaction: nothing is charged for it, or no more.
    pub async fn cancel(&self, transaction_id: &str) -> Result<Observation, Error> {
        let transaction = self.call("cancel", self.client.cancel(transaction_id)).await?;
        Ok(Observation { transaction, asked_by: AskedBy::TransactionId })
    }

    /// Closes a page on which nothing was chosen, by its token: nobody can pay on it afterwards.
    pub async fn cancel_page(&self, token: &str) -> Result<(), Error> {
        self.call("cancel_snap_token", self.client.cancel_snap_token(token)).await
    }

    /// Refunds money of a settled transaction; repeating it with the same key does nothing more.
    pub async fn refund(&self, transaction_id: &str, refund: &Refund) -> Result<RefundReceipt, Error> {
        self.call("refund", self.client.refund(transaction_id, refund)).await
    }

    /// Whether a notification's signature was made with our key; compared in constant time.
    pub fn signed(&self, order_id: &str, status_code: &str, gross_amount: &str, signature: &str) -> bool {
        let expected = midtrans::signature_key(order_id, status_code, gross_amount, &self.server_key);
        expected.as_bytes().ct_eq(signature.as_bytes()).into()
    }

    /// Asks whether the key is accepted, if it is not known that it is.
    pub async fn check_key(&self) {
        if let Err(error) = self.status(PROBE_ID).await
            && error.is_retryable()
        {
            tracing::debug!(error = chassis::error_chain(&error), "Midtrans does not answer");
        }
    }

    /// Whether the key was accepted when it was last used; false at first.
    pub fn key_is_known_to_work(&self) -> bool {
        self.key_works.load(Ordering::Relaxed)
    }

    async fn call<T>(&self, name: &str, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        self.note_key(around("asking Midtrans for", name, call).await)
    }

    fn note_key<T>(&self, answer: Result<T, Error>) -> Result<T, Error> {
        let works = match &answer {
            Err(Error::Unauthorized { .. }) => false,
            Err(error) if error.is_retryable() => return answer,
            Ok(_) | Err(_) => true,
        };
        let worked = self.key_works.swap(works, Ordering::Relaxed);
        if let (Err(error), false) = (&answer, works)
            && self.health.set(HEALTH, false)
        {
            let error = chassis::error_chain(error);
            tracing::error!(error, "check MIDTRANS_SERVER_KEY: not ready until Midtrans accepts it");
        }
        if works && !worked {
            self.health.set(HEALTH, true);
            tracing::info!("Midtrans accepts MIDTRANS_SERVER_KEY");
        }
        answer
    }
}

/// order-service, asked by HTTP in the name of whoever asks us.
#[derive(Clone)]
pub struct Orders {
    client: reqwest::Client,
    base: String,
}

#[derive(Deserialize)]
struct Order {
    status: String,
}

impl Orders {
    /// A client; nothing is sent yet.
    ///
    /// # Errors
    /// If no client can be built.
    pub fn new(base: &str) -> Result<Self, BoxError> {
        let client = reqwest::Client::builder().timeout(DEADLINE).no_proxy().build()?;
        Ok(Self { client, base: base.trim_end_matches('/').to_owned() })
    }

    /// Whether cancelling the order is the way to refund it: its goods have not left. An order that
    /// order-service does not know cannot be cancelled.
    ///
    /// # Errors
    /// If order-service does not answer as it should.
    pub async fn can_be_cancelled(
        &self,
        order_id: OrderId,
        token: &SecretString,
    ) -> Result<bool, reqwest::Error> {
        let request = self.client.get(format!("{}/api/v1/order/{order_id}", self.base));
        let correlation_id = context::current().correlation_id;
        let request =
            request.bearer_auth(token.expose_secret()).header(context::CORRELATION_ID, correlation_id);
        let response = around("asking", "order-service", request.send()).await?;
        if response.status() == reqwest::StatusCode::NOT_FOUND {
            return Ok(false);
        }
        let order: Order = response.error_for_status()?.json().await?;
        Ok(["RECEIVED", "AWAITING_PAYMENT", "PAID"].contains(&order.status.as_str()))
    }
}
