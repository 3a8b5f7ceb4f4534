//! One transaction and everything that can happen to it: a pure state machine after section 4.5 of `crates/midtrans/FACTS.md`.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::cards::Denial;
use crate::method::Method;

/// Where a transaction stands, named as on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Pending,
    Authorize,
    Capture,
    Settlement,
    Deny,
    Cancel,
    Expire,
    Refund,
    PartialRefund,
    Chargeback,
}

/// What the fraud detection decided about a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fraud {
    Accept,
    Challenge,
    Deny,
}

/// What can happen to a transaction, refunds apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// A card is charged provisionally: the money is reserved, not taken.
    Authorize,
    /// A card is charged, and settles later.
    Capture,
    /// A card is charged and held back by the fraud detection.
    Challenge,
    /// The money arrives at the merchant.
    Settle,
    /// The bank or the wallet refuses.
    Deny,
    /// The merchant cancels it before it has settled.
    Cancel,
    /// Its time is over, and nobody has paid.
    Expire,
    /// The merchant lets a challenged payment through.
    Approve,
    /// The merchant refuses a challenged payment.
    Reject,
    /// The card holder's bank takes the money back.
    Chargeback,
    /// The bank takes a settlement back.
    Reverse,
}

/// The transaction is in a state in which this cannot happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotAllowed;

/// Why money cannot be given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefundError {
    NotAllowed,
    InvalidAmount,
    DuplicateKey,
}

/// One attempt to pay an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Transaction {
    pub(crate) id: String,
    pub(crate) method: Method,
    /// What the customer is charged, in rupiah.
    pub(crate) amount: i64,
    pub(crate) status: Status,
    pub(crate) fraud: Fraud,
    /// Response code and text of the bank that said no.
    pub(crate) denial: Option<(String, String)>,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) expires_at: OffsetDateTime,
    pub(crate) settled_at: Option<OffsetDateTime>,
    /// When a slow card gets its answer.
    pub(crate) accepted_at: Option<OffsetDateTime>,
    pub(crate) refunds: Vec<Refund>,
}

/// Money that was given back, or will be once the bank confirms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refund {
    pub(crate) key: String,
    pub(crate) amount: i64,
    pub(crate) reason: String,
    pub(crate) created_at: OffsetDateTime,
    /// When the bank confirms it; until then replies leave it out.
    pub(crate) confirmed_at: OffsetDateTime,
    pub(crate) direct: bool,
}

impl Transaction {
    /// A customer has chosen a method.
    pub(crate) fn pending(
        id: String,
        method: Method,
        amount: i64,
        created_at: OffsetDateTime,
        expires_at: OffsetDateTime,
    ) -> Self {
        Self {
            id,
            method,
            amount,
            status: Status::Pending,
            fraud: Fraud::Accept,
            denial: None,
            created_at,
            expires_at,
            settled_at: None,
            accepted_at: None,
            refunds: Vec::new(),
        }
    }

    /// Lets something happen, or leaves everything as it is.
    pub(crate) fn apply(&mut self, event: Event, now: OffsetDateTime) -> Result<(), NotAllowed> {
        let (status, fraud) = self.after(event).ok_or(NotAllowed)?;
        if status == Status::Settlement {
            self.settled_at = Some(now);
        }
        self.status = status;
        self.fraud = fraud;
        self.accepted_at = None;
        Ok(())
    }

    /// A card is refused, with the bank's words for it.
    pub(crate) fn deny(&mut self, denial: Denial, now: OffsetDateTime) -> Result<(), NotAllowed> {
        self.apply(Event::Deny, now)?;
        let (code, text) = denial.channel_response();
        self.denial = Some((code.to_owned(), text.to_owned()));
        Ok(())
    }

    fn after(&self, event: Event) -> Option<(Status, Fraud)> {
        use Status::{Authorize, Cancel, Capture, Deny, Expire, PartialRefund, Pending, Settlement};
        let challenged = self.fraud == Fraud::Challenge;
        let status = match (event, self.status) {
            (Event::Authorize, Pending) => Authorize,
            (Event::Capture, Pending | Authorize) => Capture,
            (Event::Challenge, Pending) => return Some((Capture, Fraud::Challenge)),
            (Event::Settle, Pending) => Settlement,
            (Event::Settle, Capture) if !challenged => Settlement,
            // A bank may take the money for an account number that is over already.
            (Event::Settle, Expire | Cancel) if !self.method.is_card() => Settlement,
            (Event::Deny, Pending | Authorize) | (Event::Reverse, Settlement) => Deny,
            (Event::Cancel, Pending | Authorize | Capture) => Cancel,
            (Event::Expire, Pending | Authorize) => Expire,
            (Event::Approve, Capture) if challenged => return Some((Capture, Fraud::Accept)),
            (Event::Reject, Capture) if challenged => return Some((Deny, Fraud::Deny)),
            (Event::Chargeback, Settlement | PartialRefund) => Status::Chargeback,
            _ => return None,
        };
        Some((status, self.fraud))
    }

    /// Gives money back and returns how much: what was asked for, or all that is left.
    pub(crate) fn refund(&mut self, asked: Option<i64>, mut refund: Refund) -> Result<i64, RefundError> {
        if self.refunds.iter().any(|earlier| earlier.key == refund.key) {
            return Err(RefundError::DuplicateKey);
        }
        let settled = matches!(self.status, Status::Settlement | Status::PartialRefund);
        if !settled || !self.method.is_refundable() {
            return Err(RefundError::NotAllowed);
        }
        let left = self.amount - self.refunded();
        refund.amount = asked.unwrap_or(left);
        if !(1..=left).contains(&refund.amount) {
            return Err(RefundError::InvalidAmount);
        }
        self.status = if refund.amount == left { Status::Refund } else { Status::PartialRefund };
        let amount = refund.amount;
        self.refunds.push(refund);
        Ok(amount)
    }

    /// What was given back in all, in whole rupiah.
    pub(crate) fn refunded(&self) -> i64 {
        self.refunds.iter().map(|refund| refund.amount).sum()
    }

    /// When the clock has to do something about it by itself.
    pub(crate) fn due_at(&self) -> Option<OffsetDateTime> {
        let waiting = matches!(self.status, Status::Pending | Status::Authorize);
        waiting.then(|| self.accepted_at.map_or(self.expires_at, |at| at.min(self.expires_at)))
    }

    /// What the clock does at that time.
    pub(crate) fn due_event(&self, now: OffsetDateTime) -> Option<Event> {
        let due = self.due_at().filter(|at| *at <= now)?;
        Some(if self.accepted_at == Some(due) { Event::Capture } else { Event::Expire })
    }

    /// The customer or the bank can still change its course to "paid", or it is paid.
    pub(crate) fn occupies_order(&self) -> bool {
        !matches!(self.status, Status::Deny | Status::Cancel | Status::Expire)
    }
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Authorize => "authorize",
            Self::Capture => "capture",
            Self::Settlement => "settlement",
            Self::Deny => "deny",
            Self::Cancel => "cancel",
            Self::Expire => "expire",
            Self::Refund => "refund",
            Self::PartialRefund => "partial_refund",
            Self::Chargeback => "chargeback",
        }
    }
}

#[cfg(test)]
mod tests;
