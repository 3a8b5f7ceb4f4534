//! T2, the table of the contract that says how Midtrans' answers change a payment.

use std::fmt;

use contracts::events::{PaymentFailure, ReversalKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Seen;

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Not paid yet.
    Pending,
    /// Held back by the fraud detection until the merchant or Midtrans decides.
    Challenge,
    /// Paid.
    Success,
    /// Ended without money.
    Failed,
    /// Closed by us, without money.
    Cancelled,
    /// Another amount or currency was paid than asked for: an administrator decides.
    Review,
    /// The money was taken back without our doing.
    Reversed,
    /// Part of the money went back.
    PartiallyRefunded,
    /// All of the money went back.
    Refunded,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// What an answer of Midtrans changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing: known already, or older than what is known.
    Same,
    /// The payment moves, and something follows from it.
    Move(Status, Effect),
    /// The transaction must not be paid any more: it is cancelled.
    Void,
    /// Money went back: the refunds say how much, and so where the payment stands.
    BookRefunds,
}

/// What follows from a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// `PaymentSuccess`.
    Succeed,
    /// `PaymentFailed`.
    Fail(PaymentFailure),
    /// Paid too late: everything goes back, and no `PaymentSuccess`.
    RefundLate,
    /// `PaymentReversed`.
    Reverse(ReversalKind),
}

/// The table.
pub fn step(status: Status, seen: Seen) -> Step {
    match status {
        Status::Pending => step_pending(seen),
        Status::Challenge => step_challenge(seen),
        Status::Failed | Status::Cancelled => step_closed(seen),
        Status::Success | Status::PartiallyRefunded => step_paid(seen),
        // An administrator closes a REVIEW; the other two are over.
        Status::Review | Status::Reversed | Status::Refunded => Step::Same,
    }
}

fn step_pending(seen: Seen) -> Step {
    match seen {
        // The customer may try another card.
        Seen::Waiting | Seen::Denied => Step::Same,
        Seen::Challenged => Step::Move(Status::Challenge, Effect::None),
        other => step_unpaid(other),
    }
}

fn step_challenge(seen: Seen) -> Step {
    match seen {
        Seen::Waiting | Seen::Challenged => Step::Same,
        Seen::Denied => Step::Move(Status::Failed, Effect::Fail(PaymentFailure::Denied)),
        Seen::TimedOut => Step::Move(Status::Cancelled, Effect::Fail(PaymentFailure::Cancelled)),
        other => step_unpaid(other),
    }
}

/// What PENDING and CHALLENGE have in common. Money that came and went before it was noticed never paid the order.
fn step_unpaid(seen: Seen) -> Step {
    let fail = |reason| Step::Move(Status::Failed, Effect::Fail(reason));
    match seen {
        Seen::Waiting | Seen::Denied | Seen::Challenged => Step::Same,
        Seen::Paid | Seen::PartlyRefunded => Step::Move(Status::Success, Effect::Succeed),
        Seen::PaidOtherwise => Step::Move(Status::Review, Effect::None),
        Seen::Expired | Seen::TimedOut => fail(PaymentFailure::Expired),
        Seen::Failed => fail(PaymentFailure::Denied),
        Seen::Cancelled | Seen::TakenBack | Seen::Refunded | Seen::ChargedBack => {
            fail(PaymentFailure::Cancelled)
        }
        Seen::Closed => Step::Move(Status::Cancelled, Effect::None),
    }
}

fn step_closed(seen: Seen) -> Step {
    match seen {
        Seen::Paid | Seen::PaidOtherwise | Seen::PartlyRefunded => {
            Step::Move(Status::Success, Effect::RefundLate)
        }
        Seen::Challenged => Step::Void,
        Seen::Waiting
        | Seen::Denied
        | Seen::Expired
        | Seen::Cancelled
        | Seen::Failed
        | Seen::Closed
        | Seen::TimedOut
        | Seen::TakenBack
        | Seen::Refunded
        | Seen::ChargedBack => Step::Same,
    }
}

fn step_paid(seen: Seen) -> Step {
    let reverse = |kind| Step::Move(Status::Reversed, Effect::Reverse(kind));
    match seen {
        Seen::Paid
        | Seen::PaidOtherwise
        | Seen::Waiting
        | Seen::Challenged
        | Seen::Expired
        | Seen::Failed
        | Seen::Closed
        | Seen::TimedOut => Step::Same,
        Seen::Denied | Seen::Cancelled => reverse(ReversalKind::DeniedAfterSettlement),
        Seen::ChargedBack => reverse(ReversalKind::Chargeback),
        Seen::TakenBack | Seen::PartlyRefunded | Seen::Refunded => Step::BookRefunds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T2 of the contract, a line for each answer and a column for each state, with what the contract leaves open
    /// filled in. `=` same · `+S` `PaymentSuccess` · `+F(reason)` `PaymentFailed` · `+R(kind)` `PaymentReversed` ·
    /// `+refund` everything goes back · `void` cancel the transaction · `book` by the refunds' sum.
    const T2: &str = "
        answer         | PENDING             | CHALLENGE              | FAILED, CANCELLED | SUCCESS, PARTIALLY_REFUNDED | REVIEW, REVERSED, REFUNDED
        Waiting        | =                   | =                      | =                 | =                           | =
        Denied         | =                   | FAILED +F(denied)      | =                 | REVERSED +R(denied)         | =
        Challenged     | CHALLENGE           | =                      | void              | =                           | =
        Paid           | SUCCESS +S          | SUCCESS +S             | SUCCESS +refund   | =                           | =
        PaidOtherwise  | REVIEW              | REVIEW                 | SUCCESS +refund   | =                           | =
        Expired        | FAILED +F(expired)  | FAILED +F(expired)     | =                 | =                           | =
        Cancelled      | FAILED +F(cancelled)| FAILED +F(cancelled)   | =                 | REVERSED +R(denied)         | =
        Failed         | FAILED +F(denied)   | FAILED +F(denied)      | =                 | =                           | =
        Closed         | CANCELLED           | CANCELLED              | =                 | =                           | =
        TimedOut       | FAILED +F(expired)  | CANCELLED +F(cancelled)| =                 | =                           | =
        TakenBack      | FAILED +F(cancelled)| FAILED +F(cancelled)   | =                 | book                        | =
        PartlyRefunded | SUCCESS +S          | SUCCESS +S             | SUCCESS +refund   | book                        | =
        Refunded       | FAILED +F(cancelled)| FAILED +F(cancelled)   | =                 | book                        | =
        ChargedBack    | FAILED +F(cancelled)| FAILED +F(cancelled)   | =                 | REVERSED +R(chargeback)     | =
    ";

    const ANSWERS: [Seen; 14] = [
        Seen::Waiting,
        Seen::Denied,
        Seen::Challenged,
        Seen::Paid,
        Seen::PaidOtherwise,
        Seen::Expired,
        Seen::Cancelled,
        Seen::Failed,
        Seen::Closed,
        Seen::TimedOut,
        Seen::TakenBack,
        Seen::PartlyRefunded,
        Seen::Refunded,
        Seen::ChargedBack,
    ];

    fn cell(step: Step) -> String {
        let reason =
            |reason: PaymentFailure| serde_json::to_value(reason).unwrap().as_str().unwrap().to_owned();
        match step {
            Step::Same => "=".to_owned(),
            Step::Void => "void".to_owned(),
            Step::BookRefunds => "book".to_owned(),
            Step::Move(to, Effect::None) => to.to_string(),
            Step::Move(to, Effect::Succeed) => format!("{to} +S"),
            Step::Move(to, Effect::Fail(why)) => format!("{} +F({})", to, reason(why)),
            Step::Move(to, Effect::RefundLate) => format!("{to} +refund"),
            Step::Move(to, Effect::Reverse(ReversalKind::Chargeback)) => format!("{to} +R(chargeback)"),
            Step::Move(to, Effect::Reverse(_)) => format!("{to} +R(denied)"),
        }
    }

    #[test]
    fn every_pair_of_state_and_answer_is_as_in_the_table() {
        let mut lines = T2.trim().lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
        let head = lines.next().unwrap();
        let mut pairs = 0;
        for (line, answer) in lines.zip(ANSWERS) {
            assert_eq!(line[0], format!("{answer:?}"));
            for (column, expected) in head.iter().zip(&line).skip(1) {
                for state in column.split(", ") {
                    let status: Status = serde_json::from_value(state.into()).unwrap();
                    assert_eq!(cell(step(status, answer)), *expected, "{state} and {answer:?}");
                    pairs += 1;
                }
            }
        }
        assert_eq!(pairs, 9 * ANSWERS.len());
    }
}
