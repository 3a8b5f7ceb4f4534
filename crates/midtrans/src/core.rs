//! Core API: asking about a transaction and acting on it (section 3). Every `id` is an order id or a transaction id.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{Client, Error, Transaction, TransactionStatus, amount, lenient};

/// What to give back (section 7).
#[derive(Debug, Clone, Serialize)]
pub struct Refund {
    /// Makes the refund idempotent; of `[A-Za-z0-9_-]`. The same key within 7 days is the same refund.
    #[serde(rename = "refund_key")]
    pub key: String,
    /// Whole rupiah, up to what has not been given back yet.
    pub amount: i64,
    /// Why, for Midtrans' records: at most 255 characters.
    pub reason: String,
}

/// An accepted refund (section 7).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct RefundReceipt {
    /// Midtrans' id of the transaction.
    pub transaction_id: String,
    /// `Refund` or `PartialRefund`.
    pub transaction_status: TransactionStatus,
    /// The key it was asked for with.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub refund_key: Option<String>,
    /// Of this refund alone or of all together, depending on the method (section 7): take the total from
    /// [`Client::status`].
    #[serde(default, deserialize_with = "amount::lenient")]
    pub refund_amount: Option<i64>,
}

impl Client {
    /// Where the transaction stands (section 3.2). [`Error::NotFound`] for a Snap order nobody has picked a method for.
    pub async fn status(&self, id: &str) -> Result<Transaction, Error> {
        self.core_get(&["v2", id, "status"]).await?.into_value()
    }

    /// Calls off a payment that is pending, authorized or captured but not settled (section 3.3).
    pub async fn cancel(&self, id: &str) -> Result<Transaction, Error> {
        self.act(id, "cancel").await
    }

    /// Ends a pending payment as if its time were over (section 3.3).
    pub async fn expire(&self, id: &str) -> Result<Transaction, Error> {
        self.act(id, "expire").await
    }

    /// Lets a challenged card payment through (section 3.3).
    pub async fn approve(&self, id: &str) -> Result<Transaction, Error> {
        self.act(id, "approve").await
    }

    /// Refuses a challenged card payment (section 3.3).
    pub async fn deny(&self, id: &str) -> Result<Transaction, Error> {
        self.act(id, "deny").await
    }

    /// Gives money back from a settled payment (section 7). Virtual accounts, Mandiri bills and convenience stores cannot:
    /// [`Error::CannotUpdate`]. [`Error::Conflict`] means that this key was accepted before.
    pub async fn refund(&self, id: &str, refund: &Refund) -> Result<RefundReceipt, Error> {
        let reply = self.core_post(&["v2", id, "refund"], refund).await?;
        // 202: the bank said no, and the transaction stays settled.
        if reply.code == 202 {
            return Err(Error::RefundRejected(reply.messages().join("; ")));
        }
        reply.into_value()
    }

    async fn act(&self, id: &str, action: &str) -> Result<Transaction, Error> {
        self.core_post(&["v2", id, action], &json!({})).await?.into_value()
    }
}
