//! The state machine of a delivery: PENDING -> `IN_TRANSIT` -> DELIVERED | FAILED, where an administrator may leave the
//! middle out, and PENDING -> CANCELLED, which only order-service asks for.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a delivery is between the warehouse and its buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(example = "IN_TRANSIT")]
pub enum Status {
    /// Paid for, still in the warehouse.
    Pending,
    /// The goods are with the carrier.
    InTransit,
    /// The goods have arrived at the buyer.
    Delivered,
    /// Could not be delivered; the goods come back.
    Failed,
    /// Its order was cancelled before it left.
    Cancelled,
}

/// The inputs of T3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    Set(Status),
    Cancel,
}

/// What has to be done beside writing the new status: the event to publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    PublishShipped,
    PublishDelivered,
    PublishFailed,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Transition {
    pub to: Status,
    pub effects: Vec<Effect>,
}

/// A change that the state machine does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a delivery that is {from} cannot become {to}")]
pub struct IllegalChange {
    pub from: Status,
    pub to: Status,
}

impl Status {
    /// What an input leads to. Asking for the present status is legal and changes nothing.
    ///
    /// # Errors
    /// If the state machine has no such change.
    pub fn on(self, input: Input) -> Result<Transition, IllegalChange> {
        let to = match input {
            Input::Set(to) => to,
            Input::Cancel => Self::Cancelled,
        };
        let effects = match (self, input) {
            (from, _) if from == to => vec![],
            (Self::Pending, Input::Cancel) => vec![],
            (Self::Pending, Input::Set(Self::InTransit)) => vec![Effect::PublishShipped],
            (Self::Pending | Self::InTransit, Input::Set(Self::Delivered)) => vec![Effect::PublishDelivered],
            (Self::Pending | Self::InTransit, Input::Set(Self::Failed)) => vec![Effect::PublishFailed],
            (from, _) => return Err(IllegalChange { from, to }),
        };
        Ok(Transition { to, effects })
    }

    /// Whether the goods leave by this change.
    pub const fn leaves_by(self, to: Self) -> bool {
        matches!((self, to), (Self::Pending, Self::InTransit | Self::Delivered))
    }

    /// As in JSON, gRPC and the database.
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
    use contracts::tables::Table;

    use super::*;

    const ALL: [Status; 5] =
        [Status::Pending, Status::InTransit, Status::Delivered, Status::Failed, Status::Cancelled];

    fn outcome(from: Status, input: Input) -> &'static str {
        match from.on(input) {
            Ok(Transition { to, .. }) if to == from => "=",
            Ok(Transition { to, .. }) => to.as_str(),
            Err(illegal) => {
                assert_eq!(illegal.from, from);
                "409"
            }
        }
    }

    #[test]
    fn every_pair_of_status_and_input_is_as_the_contract_says() {
        let table = Table::below("A delivery");
        assert_eq!((table.states.len(), table.rows.len()), (ALL.len(), ALL.len() + 1));
        for from in ALL {
            for to in ALL {
                let row = format!("an administrator sets {to}");
                let expected = table.outcome(&row, from.as_str());
                assert_eq!(outcome(from, Input::Set(to)), expected, "{from} -> {to}");
            }
            let expected = table.outcome("order-service cancels", from.as_str());
            assert_eq!(outcome(from, Input::Cancel), expected, "{from}");
        }
    }

    #[test]
    fn each_move_is_published_as_what_was_reached_and_a_repetition_is_not() {
        for from in ALL {
            for input in ALL.map(Input::Set).into_iter().chain([Input::Cancel]) {
                let Ok(Transition { to, effects }) = from.on(input) else { continue };
                let expected = match to {
                    Status::InTransit => vec![Effect::PublishShipped],
                    Status::Delivered => vec![Effect::PublishDelivered],
                    Status::Failed => vec![Effect::PublishFailed],
                    Status::Pending | Status::Cancelled => vec![],
                };
                assert_eq!(effects, if to == from { vec![] } else { expected }, "{from}: {input:?}");
            }
        }
    }

    #[test]
    fn the_words_are_those_of_the_wire() {
        for status in ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
    }
}
