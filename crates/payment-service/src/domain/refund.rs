//! How money is refunded: by which call, what can still go back, and what an answer proves.

use std::time::Duration;

use contracts::{OrderId, events::RefundCause};
use midtrans::{FraudStatus, RefundRecord, Transaction, TransactionStatus};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// Methods whose money Midtrans cannot send back: it was paid into an account, or at a till.
const NOT_REFUNDABLE: [&str; 3] = ["bank_transfer", "echannel", "cstore"];
/// Midtrans takes the same key for the same refund for seven days; after that a try could pay twice.
const KEY_LIFETIME: Duration = Duration::from_hours(6 * 24);
/// How often a captured payment is looked at that has to settle before a part of it can go back.
const UNTIL_SETTLED: Duration = Duration::from_mins(10);
/// How soon an answer is expected to make sense that does not yet.
const SOON: Duration = Duration::from_mins(1);

/// How far a refund has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RefundState {
    /// Decided, and not asked of Midtrans yet.
    Requested,
    /// Asked of Midtrans, which may or may not have made it.
    Sent,
    /// The money went back to the customer.
    Done,
    /// There is nothing left that could go back.
    Refused,
    /// Midtrans cannot do it: a person has to, and enters the reference.
    Manual,
}

impl RefundState {
    /// Whether a job still has to make it, or to find out what became of it.
    pub fn is_to_be_made(self) -> bool {
        matches!(self, Self::Requested | Self::Sent)
    }
}

/// By which call a refund is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum RefundMethod {
    /// Cancelling a card payment that is not settled.
    Cancel,
    /// Midtrans' refund call, for a payment that has settled.
    Refund,
    /// By a person, past Midtrans, who enters the reference.
    Manual,
}

#[derive(Debug, Clone)]
pub struct Refund {
    pub id: i64,
    pub order_id: OrderId,
    /// The attempt whose money it is.
    pub midtrans_order_id: String,
    /// The transaction whose money it is.
    pub transaction_id: String,
    /// The key under which Midtrans makes it once, however often it is asked.
    pub refund_key: String,
    pub cause: RefundCause,
    /// What goes back by it, in whole rupiah.
    pub amount: i64,
    /// Why, in the words of an administrator.
    pub reason: Option<String>,
    pub state: RefundState,
    /// By which call it is made, once that is known.
    pub method: Option<RefundMethod>,
    /// Where a refund that a person made can be found in the books.
    pub reference: Option<String>,
    pub created_at: OffsetDateTime,
}

impl Refund {
    /// Whether the money may still have to go back.
    pub fn is_open(&self) -> bool {
        !matches!(self.state, RefundState::Done | RefundState::Refused)
    }
}

/// What is reserved of a payment: gone, or on its way.
pub fn reserved(refunds: &[Refund], transaction_id: &str) -> i64 {
    let counts =
        |refund: &&Refund| refund.transaction_id == transaction_id && refund.state != RefundState::Refused;
    refunds.iter().filter(counts).map(|refund| refund.amount).sum()
}

/// What can still be refunded of a payment, in rupiah.
pub fn left_to_refund(paid: i64, refunds: &[Refund], transaction_id: &str) -> i64 {
    (paid - reserved(refunds, transaction_id)).max(0)
}

/// A refund that Midtrans has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Booking {
    /// One of ours, by its id.
    Ours(i64),
    /// One that was made elsewhere, such as on Midtrans' dashboard.
    Foreign {
        /// Midtrans' key of it, or one that is made of the transaction's id.
        key: String,
        /// What went back by it, in whole rupiah.
        amount: i64,
    },
}

/// Which refunds an answer proves that were not known to be done. `refunds` are those of the transaction.
pub fn bookings(refunds: &[Refund], transaction: &Transaction) -> Vec<Booking> {
    if transaction.transaction_status == TransactionStatus::Cancel {
        let cancelled = |refund: &&Refund| refund.method == Some(RefundMethod::Cancel);
        return refunds
            .iter()
            .filter(|refund| refund.is_open())
            .filter(cancelled)
            .map(|refund| Booking::Ours(refund.id))
            .collect();
    }
    let mut found = listed(refunds, transaction);
    found.extend(unlisted(refunds, transaction, &found));
    found
}

/// The refunds of the answer's list that were not known to be done.
fn listed(refunds: &[Refund], transaction: &Transaction) -> Vec<Booking> {
    let made = transaction.refunds.iter().enumerate().filter(|(_, record)| record.refund_amount > 0);
    let booking = |(index, record): (usize, &RefundRecord)| {
        let unnamed = || format!("{}-{index}", transaction.transaction_id);
        let key = record.refund_key.clone().unwrap_or_else(unnamed);
        match refunds.iter().find(|refund| refund.refund_key == key) {
            Some(refund) => refund.is_open().then_some(Booking::Ours(refund.id)),
            None => Some(Booking::Foreign { key, amount: record.refund_amount }),
        }
    };
    made.filter_map(booking).collect()
}

/// What the answer's sum says beyond its list, which may be missing or hold what cannot be read: ours if one of ours was
/// sent, else foreign.
fn unlisted(refunds: &[Refund], transaction: &Transaction, listed: &[Booking]) -> Vec<Booking> {
    let whole = (transaction.transaction_status == TransactionStatus::Refund)
        .then(|| transaction.charged_for_order());
    let Some(total) = transaction.refund_amount.or(whole) else { return Vec::new() };
    let is_listed = |refund: &Refund| listed.contains(&Booking::Ours(refund.id));
    let by_midtrans = |refund: &&Refund| {
        let done = refund.state == RefundState::Done && refund.method != Some(RefundMethod::Manual);
        done || is_listed(refund)
    };
    let foreign = |booking: &Booking| match booking {
        Booking::Foreign { amount, .. } => *amount,
        Booking::Ours(_) => 0,
    };
    let ours: i64 = refunds.iter().filter(by_midtrans).map(|refund| refund.amount).sum();
    let mut unknown = total - ours - listed.iter().map(foreign).sum::<i64>();
    let mut found = Vec::new();
    for refund in refunds.iter().filter(|refund| refund.state == RefundState::Sent && !is_listed(refund)) {
        if refund.amount <= unknown {
            unknown -= refund.amount;
            found.push(Booking::Ours(refund.id));
        }
    }
    if unknown > 0 {
        let key = format!("{}-{total}", transaction.transaction_id);
        found.push(Booking::Foreign { key, amount: unknown });
    }
    found
}

/// What to do about a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// Cancel the captured payment: nothing is charged for it.
    Cancel,
    /// Ask Midtrans for the refund, under its key.
    Refund,
    /// Look again after this time: the transaction is still changing.
    Wait(Duration),
    /// Leave it to a person: Midtrans cannot make it, or cannot make it once only.
    Manual,
    /// The transaction holds no money that could go back.
    Refuse,
}

/// Decides by what Midtrans says of the transaction.
pub fn plan(refund: &Refund, transaction: &Transaction, now: OffsetDateTime) -> Plan {
    use TransactionStatus as Is;
    let whole = refund.amount >= transaction.charged_for_order();
    let denied = transaction.fraud_status == Some(FraudStatus::Deny);
    match transaction.transaction_status {
        Is::Capture if denied => Plan::Refuse,
        Is::Capture if whole => Plan::Cancel,
        Is::Capture => Plan::Wait(UNTIL_SETTLED),
        Is::Settlement | Is::PartialRefund => {
            let refundable = !NOT_REFUNDABLE.contains(&transaction.payment_type.as_str());
            if refundable && now - refund.created_at < KEY_LIFETIME { Plan::Refund } else { Plan::Manual }
        }
        Is::Deny | Is::Cancel | Is::Expire | Is::Failure | Is::Refund | Is::Chargeback => Plan::Refuse,
        _ => Plan::Wait(SOON),
    }
}

#[cfg(test)]
mod tests;
