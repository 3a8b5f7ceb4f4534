//! The state machine of a hold (table T3 of the contract): what is kept for an order, from its creation to its end.
//!
//! ```text
//! (none) -> HELD -> SOLD -> RETURNED        (none) -> REFUSED        HELD -> RELEASED
//! ```
//!
//! Only what happens to its order changes a hold. It is never released for its age: its units may have been paid for.

use contracts::{
    ProductId, UserId,
    events::{CancelCause, Subject},
};
use serde::Serialize;

use super::allocation::{Line, Refusal};

/// Where a hold is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Units are kept for the order.
    Held,
    /// The order got nothing, or was cancelled before it was seen.
    Refused,
    /// The order is paid.
    Sold,
    /// The units are free again: the order ended unpaid.
    Released,
    /// The units are free again: the order was paid, but its goods came back or never left.
    Returned,
}

/// What is known of an order.
#[derive(Debug, Clone)]
pub struct Hold {
    /// Where it is.
    pub status: Status,
    /// What the order asked for.
    pub lines: Vec<Line>,
    /// Why it got nothing. `None` for an order that was cancelled before it was seen, too.
    pub refusal: Option<Refusal>,
    /// Why the order ended, once it did.
    pub cancel_cause: Option<CancelCause>,
    /// The order's buyer, if it is known.
    pub user_id: Option<UserId>,
    /// What the order costs in rupiah, if it is known.
    pub total_amount: Option<i64>,
}

impl Hold {
    /// Whether an event or a question is about the order that this is for.
    pub fn is_of(&self, subject: &Subject) -> bool {
        subject.can_be(self.user_id, self.total_amount)
    }
}

/// What `OrderCreated` leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnCreated {
    /// Give it what it asks for, or refuse it.
    Allocate,
    /// What it was answered before is answered again.
    AnswerAgain,
    /// Nothing.
    Same,
}

/// What `OrderPaid` leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnPaid {
    /// HELD becomes SOLD.
    Sell,
    /// Nothing: it was sold before, whether or not its goods came back since.
    Same,
    /// Nothing: an administrator cancelled the order meanwhile.
    Note,
    /// `OrderCreated` has not come yet.
    Wait,
    /// It cannot be: nothing was kept for the order.
    Reject,
}

/// What `OrderCancelled` leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnCancelled {
    /// A tombstone: the order, should it be seen later, gets nothing.
    Bury,
    /// HELD becomes RELEASED.
    Release,
    /// SOLD becomes RETURNED.
    Return,
    /// Nothing: its units are free already.
    Same,
    /// It cannot be: only an administrator can cancel a paid order.
    Reject,
}

/// What goods that come back lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnReturn {
    /// They are free again.
    Free,
    /// They are free again, and were the last: SOLD becomes RETURNED.
    FreeTheLast,
    /// Nothing: they came back before.
    Same,
}

/// Why goods cannot come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotReturnable {
    /// The order is not known to be paid.
    #[error("the order's goods are not sold")]
    NotSold,
    /// More would come back than was sold.
    #[error("more would come back than the {0} units that were sold")]
    MoreThanSold(i64),
}

/// An order was received.
pub const fn created(hold: Option<&Hold>) -> OnCreated {
    let Some(hold) = hold else { return OnCreated::Allocate };
    match hold.status {
        Status::Held => OnCreated::AnswerAgain,
        Status::Refused if hold.refusal.is_some() => OnCreated::AnswerAgain,
        Status::Refused | Status::Sold | Status::Released | Status::Returned => OnCreated::Same,
    }
}

/// An order was paid.
pub fn paid(hold: Option<&Hold>) -> OnPaid {
    let Some(hold) = hold else { return OnPaid::Wait };
    match hold.status {
        Status::Held => OnPaid::Sell,
        Status::Released | Status::Returned if hold.cancel_cause == Some(CancelCause::Admin) => OnPaid::Note,
        Status::Sold | Status::Returned => OnPaid::Same,
        Status::Refused | Status::Released => OnPaid::Reject,
    }
}

/// An order ended FAILED or CANCELLED.
pub fn cancelled(hold: Option<&Hold>, cause: CancelCause) -> OnCancelled {
    let Some(hold) = hold else { return OnCancelled::Bury };
    match hold.status {
        Status::Held => OnCancelled::Release,
        Status::Sold if cause == CancelCause::Admin => OnCancelled::Return,
        Status::Sold => OnCancelled::Reject,
        Status::Refused | Status::Released | Status::Returned => OnCancelled::Same,
    }
}

/// Goods of an order came back undelivered; `returned` did before.
///
/// # Errors
/// If that many were not sold.
pub fn returned(hold: Option<&Hold>, returned: &[ProductId], back: Line) -> Result<OnReturn, NotReturnable> {
    let hold = hold.ok_or(NotReturnable::NotSold)?;
    if returned.contains(&back.product_id) {
        return Ok(OnReturn::Same);
    }
    if hold.status != Status::Sold {
        return Err(NotReturnable::NotSold);
    }
    let sold = hold.lines.iter().find(|line| line.product_id == back.product_id);
    let sold = sold.map_or(0, |line| line.quantity);
    if back.quantity > sold {
        return Err(NotReturnable::MoreThanSold(sold));
    }
    let last = returned.len() + 1 == hold.lines.len();
    Ok(if last { OnReturn::FreeTheLast } else { OnReturn::Free })
}

#[cfg(test)]
mod tests;
