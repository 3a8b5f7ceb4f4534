//! Table T1 of crates/CONTRACT.md: what each input does to an order in each state.

use contracts::{
    DeliveryId,
    events::{InsufficientReason, PaymentFailure, RefundCause},
};

use super::{FailureReason, Input, PaymentPage, Returned, State, Status};

/// What an input does to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The order changes.
    Moved(State),
    /// It happened before: nothing to do.
    Same,
    /// Nothing changes, but the timeline tells it; an alarm if somebody has to look.
    Note {
        /// Whether somebody has to look.
        alarm: bool,
    },
    /// The input came before its cause.
    Wait,
    /// The input cannot be true.
    Reject,
}

const NOTE: Step = Step::Note { alarm: false };
const ALARM: Step = Step::Note { alarm: true };

impl Status {
    /// What an input does to an order in this state.
    pub fn step(self, input: &Input) -> Step {
        match input {
            Input::StockReserved(page) => self.on_stock_reserved(page.as_ref()),
            Input::StockInsufficient(reason, _) => self.on_stock_insufficient(*reason),
            Input::PaymentSuccess(..) => self.on_payment_success(),
            Input::PaymentFailed(reason) => self.on_payment_failed(*reason),
            Input::PaymentRefunded(returned) => self.on_payment_refunded(*returned),
            Input::PaymentReversed(..) => ALARM,
            Input::DeliveryShipped(id, _) => self.on_delivery_shipped(*id),
            Input::DeliverySuccess(id) => self.on_delivery_success(*id),
            Input::DeliveryFailed(id, _) => self.on_delivery_failed(*id),
            Input::TimedOut => self.on_timeout(),
        }
    }

    fn on_stock_reserved(self, page: Option<&PaymentPage>) -> Step {
        match self {
            // A payment that was closed before anybody could pay: its PaymentFailed is on the way.
            Self::Received => page.map_or(NOTE, |page| Step::Moved(State::AwaitingPayment(page.clone()))),
            Self::AwaitingPayment
            | Self::Paid
            | Self::Shipped
            | Self::Delivered
            | Self::DeliveryFailed
            | Self::Refunded => Step::Same,
            Self::Failed | Self::Cancelled => NOTE,
        }
    }

    const fn on_stock_insufficient(self, reason: InsufficientReason) -> Step {
        match (self, reason) {
            (Self::Received, InsufficientReason::Insufficient) => {
                Step::Moved(State::Failed(FailureReason::StockInsufficient))
            }
            (Self::Received, InsufficientReason::ProductGone) => {
                Step::Moved(State::Failed(FailureReason::ProductGone))
            }
            (Self::Failed | Self::Cancelled, _) => NOTE,
            (
                Self::AwaitingPayment
                | Self::Paid
                | Self::Shipped
                | Self::Delivered
                | Self::DeliveryFailed
                | Self::Refunded,
                _,
            ) => Step::Reject,
        }
    }

    const fn on_payment_success(self) -> Step {
        match self {
            Self::Received => Step::Wait,
            Self::AwaitingPayment => Step::Moved(State::Paid),
            Self::Paid | Self::Shipped | Self::Delivered | Self::DeliveryFailed | Self::Refunded => {
                Step::Same
            }
            Self::Failed | Self::Cancelled => NOTE,
        }
    }

    const fn on_payment_failed(self, reason: PaymentFailure) -> Step {
        match self {
            Self::Received | Self::AwaitingPayment => {
                Step::Moved(State::Failed(FailureReason::Payment(reason)))
            }
            Self::Paid | Self::Shipped | Self::Delivered | Self::DeliveryFailed => ALARM,
            Self::Failed | Self::Cancelled => Step::Same,
            Self::Refunded => NOTE,
        }
    }

    const fn on_payment_refunded(self, returned: Returned) -> Step {
        if !returned.full {
            return NOTE;
        }
        let undeliverable = matches!(returned.cause, RefundCause::DeliveryFailed);
        match self {
            Self::Paid | Self::Shipped if undeliverable => Step::Wait,
            Self::DeliveryFailed if undeliverable => Step::Moved(State::Refunded(returned.total)),
            Self::Refunded => Step::Same,
            Self::Received
            | Self::AwaitingPayment
            | Self::Paid
            | Self::Shipped
            | Self::Delivered
            | Self::DeliveryFailed
            | Self::Failed
            | Self::Cancelled => NOTE,
        }
    }

    const fn on_delivery_shipped(self, id: DeliveryId) -> Step {
        match self {
            Self::Received | Self::AwaitingPayment => Step::Wait,
            Self::Paid => Step::Moved(State::Shipped(id)),
            Self::Shipped | Self::Delivered | Self::DeliveryFailed | Self::Refunded => Step::Same,
            Self::Failed | Self::Cancelled => Step::Reject,
        }
    }

    const fn on_delivery_success(self, id: DeliveryId) -> Step {
        match self {
            Self::Received | Self::AwaitingPayment => Step::Wait,
            Self::Paid | Self::Shipped => Step::Moved(State::Delivered(id)),
            Self::Delivered => Step::Same,
            Self::DeliveryFailed | Self::Refunded | Self::Failed | Self::Cancelled => Step::Reject,
        }
    }

    const fn on_delivery_failed(self, id: DeliveryId) -> Step {
        match self {
            Self::Received | Self::AwaitingPayment => Step::Wait,
            Self::Paid | Self::Shipped => Step::Moved(State::DeliveryFailed(id)),
            Self::DeliveryFailed | Self::Refunded => Step::Same,
            Self::Delivered | Self::Failed | Self::Cancelled => Step::Reject,
        }
    }

    const fn on_timeout(self) -> Step {
        match self {
            Self::Received => Step::Moved(State::Failed(FailureReason::Timeout)),
            Self::AwaitingPayment
            | Self::Paid
            | Self::Shipped
            | Self::Delivered
            | Self::DeliveryFailed
            | Self::Failed
            | Self::Cancelled
            | Self::Refunded => Step::Same,
        }
    }
}

#[cfg(test)]
mod tests;
