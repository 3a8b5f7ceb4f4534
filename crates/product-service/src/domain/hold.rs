//! The state machine of a hold (table T3 of the contract): units that are set aside for an order, from its creation to
//! its end.
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

use super::{
    allocation::{Line, Refusal},
    movement::Reason,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Units are set aside for the order.
    Held,
    /// There were too few units, or the order was cancelled before its `OrderCreated` came.
    Refused,
    /// The order is paid: the units have left the stock for good.
    Sold,
    /// The units are free again: the order ended unpaid.
    Released,
    /// The units are free again: the order was paid, but its goods came back or never left.
    Returned,
}

#[derive(Debug, Clone)]
pub struct Hold {
    pub status: Status,
    /// What the order asked for, whether or not it got it.
    pub lines: Vec<Line>,
    /// What was missing. `None` for a tombstone (REFUSED before `OrderCreated` came) as well.
    pub refusal: Option<Refusal>,
    /// Why the order ended, once it did.
    pub cancel_cause: Option<CancelCause>,
    /// The buyer. With the total it identifies the order, since a restored database gives numbers out again.
    pub user_id: Option<UserId>,
    /// What the order costs, in whole rupiah; `None` where the event did not say.
    pub total_amount: Option<i64>,
}

/// What happens to the order of a hold.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// `OrderCreated`. `in_stock` says whether everything could be allocated, and counts only without a hold.
    Created {
        in_stock: bool,
    },
    Paid,
    Cancelled(CancelCause),
    /// Goods came back undelivered; those of the products in `before` came back earlier.
    Returned {
        line: Line,
        before: &'a [ProductId],
    },
}

/// What has to be done beside writing the new state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Publish `StockReserved` or `StockInsufficient`, also again if the order asks again.
    PublishAnswer,
    /// Record a movement of each line, and change the free stock by it. For a return only of those lines that come back
    /// now.
    MoveStock(Reason),
    /// Log that an order was paid after an administrator cancelled it: its money is refunded elsewhere.
    LogLatePayment,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Transition {
    pub to: Status,
    pub effects: Vec<Effect>,
}

/// Why an input changes nothing and is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The only one that passes: the cause of the input is still on its way.
    #[error("OrderCreated has not come yet")]
    NotYet,
    #[error("an order was paid for which nothing is kept")]
    NothingHeld,
    #[error("a paid order ended without an administrator's cancel")]
    NotByAdmin,
    #[error("the order's goods are not sold")]
    NotSold,
    #[error("more would come back than the {0} units that were sold")]
    MoreThanSold(i64),
}

impl Hold {
    /// What is kept of an order that ended before its `OrderCreated` came.
    pub fn tombstone(user_id: UserId, cause: CancelCause) -> Self {
        Self {
            status: Status::Refused,
            lines: Vec::new(),
            refusal: None,
            cancel_cause: Some(cause),
            user_id: Some(user_id),
            total_amount: None,
        }
    }

    /// Whether an event or a request is about the order that this hold is for.
    pub fn is_of(&self, subject: &Subject) -> bool {
        subject.can_be(self.user_id, self.total_amount)
    }

    /// What an input leads to; `None` is an order without a hold.
    ///
    /// # Errors
    /// If the input cannot be true in this state, or not yet.
    pub fn on(hold: Option<&Self>, input: Input<'_>) -> Result<Transition, Rejection> {
        let Some(hold) = hold else { return Transition::first(input) };
        let stays = |effects| Transition { to: hold.status, effects };
        Ok(match (input, hold.status) {
            (Input::Created { .. }, Status::Held) => stays(vec![Effect::PublishAnswer]),
            (Input::Created { .. }, Status::Refused) if hold.refusal.is_some() => {
                stays(vec![Effect::PublishAnswer])
            }
            (Input::Paid, Status::Held) => Transition::with_stock(Status::Sold, Reason::Sale),
            (Input::Paid, Status::Released | Status::Returned)
                if hold.cancel_cause == Some(CancelCause::Admin) =>
            {
                stays(vec![Effect::LogLatePayment])
            }
            (Input::Paid, Status::Refused | Status::Released) => return Err(Rejection::NothingHeld),
            (Input::Cancelled(_), Status::Held) => Transition::with_stock(Status::Released, Reason::Release),
            (Input::Cancelled(CancelCause::Admin), Status::Sold) => {
                Transition::with_stock(Status::Returned, Reason::Return)
            }
            (Input::Cancelled(_), Status::Sold) => return Err(Rejection::NotByAdmin),
            (Input::Returned { line, before }, _) if before.contains(&line.product_id) => stays(vec![]),
            (Input::Returned { line, before }, Status::Sold) => hold.take_back(line, before)?,
            (Input::Returned { .. }, _) => return Err(Rejection::NotSold),
            (Input::Created { .. } | Input::Paid | Input::Cancelled(_), _) => stays(vec![]),
        })
    }

    fn take_back(&self, line: Line, before: &[ProductId]) -> Result<Transition, Rejection> {
        let sold = self.lines.iter().find(|sold| sold.product_id == line.product_id);
        let sold = sold.map_or(0, |line| line.quantity);
        if line.quantity > sold {
            return Err(Rejection::MoreThanSold(sold));
        }
        let is_last = before.len() + 1 == self.lines.len();
        let to = if is_last { Status::Returned } else { Status::Sold };
        Ok(Transition::with_stock(to, Reason::Return))
    }
}

impl Transition {
    fn first(input: Input<'_>) -> Result<Self, Rejection> {
        Ok(match input {
            Input::Created { in_stock: true } => {
                let effects = vec![Effect::MoveStock(Reason::Hold), Effect::PublishAnswer];
                Self { to: Status::Held, effects }
            }
            Input::Created { in_stock: false } => {
                Self { to: Status::Refused, effects: vec![Effect::PublishAnswer] }
            }
            // A tombstone: an `OrderCreated` that comes later gets nothing.
            Input::Cancelled(_) => Self { to: Status::Refused, effects: vec![] },
            Input::Paid => return Err(Rejection::NotYet),
            Input::Returned { .. } => return Err(Rejection::NotSold),
        })
    }

    fn with_stock(to: Status, reason: Reason) -> Self {
        Self { to, effects: vec![Effect::MoveStock(reason)] }
    }

    /// How the stock moves, if it does.
    pub fn stock(&self) -> Option<Reason> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::MoveStock(reason) => Some(*reason),
            Effect::PublishAnswer | Effect::LogLatePayment => None,
        })
    }
}

#[cfg(test)]
mod tests;
