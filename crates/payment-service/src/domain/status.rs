//! T2, the table of the contract that says how Midtrans' answers change a payment.

use std::fmt;

use contracts::events::{PaymentFailure, ReversalKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Answer;

/// Where a payment stands, by what Midtrans said last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// It can still be paid, and is not.
    Pending,
    /// Held back by the fraud detection until the merchant or Midtrans decides.
    Challenge,
    /// The money is there, in the amount asked for.
    Success,
    /// It ended without money, and cannot be paid any more.
    Failed,
    /// We closed it without money, because its order ended.
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

impl Status {
    /// Where a payment stands once a refund of it is recorded; `full` if nothing is left.
    #[must_use]
    pub fn after_refund(self, full: bool) -> Self {
        match (self.is_paid(), full) {
            (true, true) => Self::Refunded,
            (true, false) => Self::PartiallyRefunded,
            (false, _) => self,
        }
    }

    /// Where a payment stands once an administrator has decided about it; `None` if there is nothing to decide.
    #[must_use]
    pub fn after_decision(self) -> Option<Self> {
        (self == Self::Review).then_some(Self::Success)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// Where an answer of Midtrans leads, and what has to be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The new state; the old one if nothing changes.
    pub to: Status,
    /// What has to be done, in this order.
    pub effects: Vec<Effect>,
    /// What has to be done about refunds after that, in this order.
    pub refunds: Vec<RefundEffect>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The transaction that paid is recorded.
    RecordPayment,
    PublishSuccess,
    PublishFailed(PaymentFailure),
    PublishReversed(ReversalKind),
    /// `PaymentRefunded` of nothing: an order whose goods could not be delivered need not wait for its money any more.
    PublishNothingLeft,
    /// An alarm: another amount was paid than asked for.
    AlarmAmount,
    /// The transaction must not be paid any more: it is cancelled.
    Void,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundEffect {
    /// Paid too late: everything is refunded.
    RefundLate,
    /// The refunds that the answer proves are recorded, and with them where the payment stands.
    Record,
    /// The refunds of a second payment that the answer proves are complete; they are not part of the payment.
    Complete,
}

impl Transition {
    pub(super) fn refunding(mut self, effect: RefundEffect) -> Self {
        self.refunds.push(effect);
        self
    }
}

impl Status {
    /// Applies table T2 of crates/CONTRACT.md.
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
        use Effect::{AlarmAmount, PublishFailed, PublishSuccess, RecordPayment};
        let failed = |reason| Self::Failed.with(&[PublishFailed(reason)]);
        match answer {
            Answer::Waiting | Answer::Denied | Answer::Challenged => self.stays(&[]),
            Answer::Paid => Self::Success.with(&[RecordPayment, PublishSuccess]),
            Answer::PartlyRefunded => {
                Self::Success.with(&[RecordPayment, PublishSuccess]).refunding(RefundEffect::Record)
            }
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
        let late = || Self::Success.with(&[Effect::RecordPayment]).refunding(RefundEffect::RefundLate);
        match answer {
            Answer::Paid | Answer::PaidOtherwise => late(),
            Answer::PartlyRefunded => late().refunding(RefundEffect::Record),
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
                self.stays(&[]).refunding(RefundEffect::Record)
            }
        }
    }

    pub(super) fn stays(self, effects: &[Effect]) -> Transition {
        self.with(effects)
    }

    fn with(self, effects: &[Effect]) -> Transition {
        Transition { to: self, effects: effects.to_vec(), refunds: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use contracts::tables::Table;

    use super::*;

    /// The inputs of T2 that are answers, as the contract names them.
    const ANSWERS: [(&str, Answer); 14] = [
        ("pending, authorized", Answer::Waiting),
        ("denied", Answer::Denied),
        ("to be reviewed by the merchant", Answer::Challenged),
        ("paid, with the right amount", Answer::Paid),
        ("paid, another amount or currency", Answer::PaidOtherwise),
        ("expired", Answer::Expired),
        ("cancelled, not by us", Answer::Cancelled),
        ("failed", Answer::Failed),
        ("closed by us", Answer::Closed),
        ("time is up, page closed by us", Answer::TimedOut),
        ("cancelled by us as a refund", Answer::TakenBack),
        ("refunded in part", Answer::PartlyRefunded),
        ("refunded in full", Answer::Refunded),
        ("charged back", Answer::ChargedBack),
    ];

    fn status(name: &str) -> Status {
        serde_json::from_value(name.into()).unwrap()
    }

    fn word(effect: Effect) -> Option<String> {
        let named = |reason: serde_json::Value| reason.as_str().unwrap().to_owned();
        match effect {
            // Implied by the new state.
            Effect::RecordPayment | Effect::AlarmAmount => None,
            Effect::PublishSuccess => Some("PaymentSuccess".to_owned()),
            Effect::PublishFailed(reason) => {
                Some(format!("PaymentFailed {}", named(serde_json::to_value(reason).unwrap())))
            }
            Effect::PublishReversed(kind) => {
                Some(format!("PaymentReversed {}", named(serde_json::to_value(kind).unwrap())))
            }
            Effect::Void => Some("void".to_owned()),
            Effect::PublishNothingLeft => panic!("T2 has no deliveries"),
        }
    }

    fn refund_word(effect: RefundEffect) -> String {
        match effect {
            RefundEffect::RefundLate => "late refund".to_owned(),
            RefundEffect::Record => "refunds".to_owned(),
            RefundEffect::Complete => panic!("T2 has no second payments"),
        }
    }

    fn state(from: Status, to: Status) -> String {
        if to == from { "=".to_owned() } else { to.to_string() }
    }

    fn cell(from: Status, Transition { to, effects, refunds }: &Transition) -> String {
        let effects = effects.iter().copied().filter_map(word);
        let refunds = refunds.iter().copied().map(refund_word);
        std::iter::once(state(from, *to)).chain(effects).chain(refunds).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn a_payment_is_recorded_wherever_one_comes_in() {
        for from in [Status::Pending, Status::Challenge, Status::Failed, Status::Cancelled] {
            for (_, answer) in ANSWERS {
                let Transition { to, effects, .. } = from.on(answer);
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
        let table = Table::below("T2");
        assert_eq!(table.states.len(), 9);
        for (input, answer) in ANSWERS {
            let (_, cells) = table.rows.iter().find(|(name, _)| name == input).unwrap();
            for (name, expected) in table.states.iter().zip(cells) {
                // What stands in parentheses is for people.
                let expected = expected.split(" (").next().unwrap();
                let from = status(name);
                assert_eq!(cell(from, &from.on(answer)), expected, "{name} and {input}");
            }
        }
    }

    #[test]
    fn refunds_and_decisions_move_a_payment_as_in_the_table() {
        let table = Table::below("T2");
        let mut others: Vec<&str> = table.rows.iter().map(|(input, _)| input.as_str()).collect();
        others.retain(|input| ANSWERS.iter().all(|(answer, _)| answer != input));
        assert_eq!(others.len(), 4, "{others:?}");
        for name in &table.states {
            let from = status(name);
            for (input, full) in [
                ("a refund is recorded, money is left", false),
                ("a refund is recorded, nothing is left", true),
            ] {
                let to = from.after_refund(full);
                let expected = table.outcome(input, name);
                // A second part that is refunded moves nothing: the table names the state that the payment is in.
                assert!(expected == state(from, to) || expected == to.to_string(), "{name} and {input}");
            }
            for input in ["an administrator accepts", "an administrator refuses"] {
                let to = from.after_decision().map_or("409".to_owned(), |to| state(from, to));
                assert_eq!(table.outcome(input, name), to, "{name} and {input}");
            }
        }
    }
}
