//! T2, the table of the contract that says how Midtrans' answers change a payment.

use std::fmt;

use contracts::events::{PaymentFailure, ReversalKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Answer;

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

impl Status {
    /// Whether it can still be paid.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Challenge)
    }

    /// Whether the money of the order is there, all of it or a part.
    pub fn is_paid(self) -> bool {
        matches!(self, Self::Success | Self::PartiallyRefunded)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// Where an answer of Midtrans leads, and what has to be done about it, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The new state; the old one if nothing changes.
    pub to: Status,
    /// What follows.
    pub effects: Vec<Effect>,
}

/// What follows from an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The transaction that paid is recorded.
    RecordPayment,
    /// `PaymentSuccess`.
    PublishSuccess,
    /// `PaymentFailed`.
    PublishFailed(PaymentFailure),
    /// `PaymentReversed`.
    PublishReversed(ReversalKind),
    /// `PaymentRefunded` of nothing: an order whose goods could not be delivered need not wait for its money any more.
    PublishNothingLeft,
    /// An alarm: another amount was paid than asked for.
    AlarmAmount,
    /// Paid too late: everything is refunded.
    RefundLate,
    /// The refunds that the answer proves are recorded, and with them where the payment stands.
    RecordRefunds,
    /// The transaction must not be paid any more: it is cancelled.
    Void,
}

impl Status {
    /// T2.
    #[must_use]
    pub fn on(self, answer: Answer) -> Transition {
        match self {
            Self::Pending => self.on_pending(answer),
            Self::Challenge => self.on_challenge(answer),
            Self::Failed | Self::Cancelled => self.on_closed(answer),
            Self::Success | Self::PartiallyRefunded => self.on_paid(answer),
            // An administrator closes a REVIEW; the other two are over.
            Self::Review | Self::Reversed | Self::Refunded => self.stays(&[]),
        }
    }

    fn on_pending(self, answer: Answer) -> Transition {
        match answer {
            // The customer may try another card.
            Answer::Waiting | Answer::Denied => self.stays(&[]),
            Answer::Challenged => Self::Challenge.with(&[]),
            other => self.on_unpaid(other),
        }
    }

    fn on_challenge(self, answer: Answer) -> Transition {
        match answer {
            Answer::Waiting | Answer::Challenged => self.stays(&[]),
            Answer::Denied => Self::Failed.with(&[Effect::PublishFailed(PaymentFailure::Denied)]),
            Answer::TimedOut => Self::Cancelled.with(&[Effect::PublishFailed(PaymentFailure::Cancelled)]),
            other => self.on_unpaid(other),
        }
    }

    /// What PENDING and CHALLENGE have in common. Money that came and went before it was noticed never paid the order.
    fn on_unpaid(self, answer: Answer) -> Transition {
        use Effect::{AlarmAmount, PublishFailed, PublishSuccess, RecordPayment, RecordRefunds};
        let failed = |reason| Self::Failed.with(&[PublishFailed(reason)]);
        match answer {
            Answer::Waiting | Answer::Denied | Answer::Challenged => self.stays(&[]),
            Answer::Paid => Self::Success.with(&[RecordPayment, PublishSuccess]),
            Answer::PartlyRefunded => Self::Success.with(&[RecordPayment, PublishSuccess, RecordRefunds]),
            Answer::PaidOtherwise => Self::Review.with(&[RecordPayment, AlarmAmount]),
            Answer::Expired | Answer::TimedOut => failed(PaymentFailure::Expired),
            Answer::Failed => failed(PaymentFailure::Denied),
            Answer::Cancelled | Answer::TakenBack | Answer::Refunded | Answer::ChargedBack => {
                failed(PaymentFailure::Cancelled)
            }
            Answer::Closed => Self::Cancelled.with(&[]),
        }
    }

    fn on_closed(self, answer: Answer) -> Transition {
        use Effect::{RecordPayment, RecordRefunds, RefundLate};
        match answer {
            Answer::Paid | Answer::PaidOtherwise => Self::Success.with(&[RecordPayment, RefundLate]),
            Answer::PartlyRefunded => Self::Success.with(&[RecordPayment, RefundLate, RecordRefunds]),
            Answer::Challenged => self.stays(&[Effect::Void]),
            Answer::Waiting
            | Answer::Denied
            | Answer::Expired
            | Answer::Cancelled
            | Answer::Failed
            | Answer::Closed
            | Answer::TimedOut
            | Answer::TakenBack
            | Answer::Refunded
            | Answer::ChargedBack => self.stays(&[]),
        }
    }

    fn on_paid(self, answer: Answer) -> Transition {
        let reversed = |kind| Self::Reversed.with(&[Effect::PublishReversed(kind)]);
        match answer {
            Answer::Paid
            | Answer::PaidOtherwise
            | Answer::Waiting
            | Answer::Challenged
            | Answer::Expired
            | Answer::Failed
            | Answer::Closed
            | Answer::TimedOut => self.stays(&[]),
            Answer::Denied | Answer::Cancelled => reversed(ReversalKind::DeniedAfterSettlement),
            Answer::ChargedBack => reversed(ReversalKind::Chargeback),
            Answer::TakenBack | Answer::PartlyRefunded | Answer::Refunded => {
                self.stays(&[Effect::RecordRefunds])
            }
        }
    }

    fn stays(self, effects: &[Effect]) -> Transition {
        self.with(effects)
    }

    fn with(self, effects: &[Effect]) -> Transition {
        Transition { to: self, effects: effects.to_vec() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T2 of the contract, a line for each answer and a column for each state, with what the contract leaves open
    /// filled in. `=` same · `+S` `PaymentSuccess` · `+F(reason)` `PaymentFailed` · `+R(kind)` `PaymentReversed` ·
    /// `+refund` everything goes back · `void` cancel the transaction · `refunds` by their sum.
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
        TakenBack      | FAILED +F(cancelled)| FAILED +F(cancelled)   | =                 | refunds                     | =
        PartlyRefunded | SUCCESS +S refunds  | SUCCESS +S refunds     | SUCCESS +refund refunds | refunds                     | =
        Refunded       | FAILED +F(cancelled)| FAILED +F(cancelled)   | =                 | refunds                     | =
        ChargedBack    | FAILED +F(cancelled)| FAILED +F(cancelled)   | =                 | REVERSED +R(chargeback)     | =
    ";

    const ANSWERS: [Answer; 14] = [
        Answer::Waiting,
        Answer::Denied,
        Answer::Challenged,
        Answer::Paid,
        Answer::PaidOtherwise,
        Answer::Expired,
        Answer::Cancelled,
        Answer::Failed,
        Answer::Closed,
        Answer::TimedOut,
        Answer::TakenBack,
        Answer::PartlyRefunded,
        Answer::Refunded,
        Answer::ChargedBack,
    ];

    fn word(effect: Effect) -> Option<String> {
        let reason =
            |reason: PaymentFailure| serde_json::to_value(reason).unwrap().as_str().unwrap().to_owned();
        match effect {
            // Implied by the new state.
            Effect::RecordPayment | Effect::AlarmAmount => None,
            Effect::PublishSuccess => Some("+S".to_owned()),
            Effect::PublishFailed(why) => Some(format!("+F({})", reason(why))),
            Effect::PublishReversed(ReversalKind::Chargeback) => Some("+R(chargeback)".to_owned()),
            Effect::PublishReversed(_) => Some("+R(denied)".to_owned()),
            Effect::RefundLate => Some("+refund".to_owned()),
            Effect::RecordRefunds => Some("refunds".to_owned()),
            Effect::Void => Some("void".to_owned()),
            Effect::PublishNothingLeft => panic!("T2 knows nothing of deliveries"),
        }
    }

    fn cell(from: Status, Transition { to, effects }: &Transition) -> String {
        let state = (*to != from).then(|| to.to_string());
        let words: Vec<String> = state.into_iter().chain(effects.iter().copied().filter_map(word)).collect();
        if words.is_empty() { "=".to_owned() } else { words.join(" ") }
    }

    #[test]
    fn a_payment_is_recorded_wherever_one_comes_in() {
        for from in [Status::Pending, Status::Challenge, Status::Failed, Status::Cancelled] {
            for answer in ANSWERS {
                let Transition { to, effects } = from.on(answer);
                let comes_in = matches!(to, Status::Success | Status::Review);
                assert_eq!(
                    effects.first() == Some(&Effect::RecordPayment),
                    comes_in,
                    "{from} and {answer:?}"
                );
                assert_eq!(effects.contains(&Effect::AlarmAmount), to == Status::Review);
            }
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
                    assert_eq!(cell(status, &status.on(answer)), *expected, "{state} and {answer:?}");
                    pairs += 1;
                }
            }
        }
        assert_eq!(pairs, 9 * ANSWERS.len());
    }
}
