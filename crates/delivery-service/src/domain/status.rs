//! The state machine of a delivery: PENDING -> `IN_TRANSIT` -> DELIVERED | FAILED, where an administrator may leave the
//! middle out, and PENDING -> CANCELLED, which only order-service asks for.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(example = "IN_TRANSIT")]
pub enum Status {
    /// Paid for, still in the warehouse.
    Pending,
    /// With the carrier.
    InTransit,
    /// Arrived.
    Delivered,
    /// Could not be delivered; the goods come back.
    Failed,
    /// Its order was cancelled before it left.
    Cancelled,
}

/// A change that the rest of the shop hears of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Milestone {
    /// It has left.
    Shipped,
    /// It has arrived.
    Delivered,
    /// It could not be delivered.
    Failed,
}

/// What a legal wish leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It changes.
    Moved(Milestone),
    /// It is so already: nothing is published.
    AlreadyThere,
}

/// What a wish to cancel leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancellation {
    /// It stops now.
    Stopped,
    /// It was stopped before.
    AlreadyStopped,
    /// It has left, or its end is known.
    TooLate,
}

/// A change that the state machine does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a delivery that is {from} cannot become {to}")]
pub struct IllegalChange {
    /// What it is.
    pub from: Status,
    /// What was asked for.
    pub to: Status,
}

impl Milestone {
    /// Where a delivery is once it was reached.
    pub const fn status(self) -> Status {
        match self {
            Self::Shipped => Status::InTransit,
            Self::Delivered => Status::Delivered,
            Self::Failed => Status::Failed,
        }
    }
}

impl Status {
    /// What an administrator's wish leads to.
    ///
    /// # Errors
    /// If the state machine has no such change.
    pub fn advance(self, to: Self) -> Result<Step, IllegalChange> {
        match (self, to) {
            (from, to) if from == to => Ok(Step::AlreadyThere),
            (Self::Pending, Self::InTransit) => Ok(Step::Moved(Milestone::Shipped)),
            (Self::Pending | Self::InTransit, Self::Delivered) => Ok(Step::Moved(Milestone::Delivered)),
            (Self::Pending | Self::InTransit, Self::Failed) => Ok(Step::Moved(Milestone::Failed)),
            (from, to) => Err(IllegalChange { from, to }),
        }
    }

    /// Whether the goods leave by this change.
    pub const fn leaves_by(self, to: Self) -> bool {
        matches!((self, to), (Self::Pending, Self::InTransit | Self::Delivered))
    }

    /// What order-service's wish to cancel leads to.
    pub const fn cancel(self) -> Cancellation {
        match self {
            Self::Pending => Cancellation::Stopped,
            Self::Cancelled => Cancellation::AlreadyStopped,
            Self::InTransit | Self::Delivered | Self::Failed => Cancellation::TooLate,
        }
    }

    /// The word for it on every wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::InTransit => "IN_TRANSIT",
            Self::Delivered => "DELIVERED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Status; 5] =
        [Status::Pending, Status::InTransit, Status::Delivered, Status::Failed, Status::Cancelled];

    /// The contract's table. A row is what it is, a column what is asked for: `same`, the new state, or `409`.
    const TABLE: [(&str, [&str; 5]); 5] = [
        // asked for:   PENDING  IN_TRANSIT    DELIVERED    FAILED    CANCELLED
        ("PENDING", ["same", "IN_TRANSIT", "DELIVERED", "FAILED", "409"]),
        ("IN_TRANSIT", ["409", "same", "DELIVERED", "FAILED", "409"]),
        ("DELIVERED", ["409", "409", "same", "409", "409"]),
        ("FAILED", ["409", "409", "409", "same", "409"]),
        ("CANCELLED", ["409", "409", "409", "409", "same"]),
    ];

    #[test]
    fn every_pair_of_states_is_as_the_contract_says() {
        for (from, (name, row)) in ALL.into_iter().zip(TABLE) {
            assert_eq!(from.as_str(), name);
            for (to, expected) in ALL.into_iter().zip(row) {
                let found = match from.advance(to) {
                    Ok(Step::Moved(milestone)) => milestone.status().as_str(),
                    Ok(Step::AlreadyThere) => "same",
                    Err(illegal) => {
                        assert_eq!(illegal, IllegalChange { from, to });
                        "409"
                    }
                };
                assert_eq!(found, expected, "{from} -> {to}");
            }
        }
    }

    #[test]
    fn only_what_has_not_left_can_be_cancelled() {
        let found = ALL.map(Status::cancel);
        let late = Cancellation::TooLate;
        assert_eq!(found, [Cancellation::Stopped, late, late, late, Cancellation::AlreadyStopped]);
    }

    #[test]
    fn the_words_are_those_of_the_wire() {
        for status in ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
    }
}
