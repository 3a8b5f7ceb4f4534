//! Table T1 of crates/CONTRACT.md: what each input does to an order in each state.

use contracts::{
    DeliveryId,
    events::{CancelCause, InsufficientReason, PaymentFailure, RefundCause},
};

use super::{FailureReason, Input, PaymentPage, Refund, State, Status};

/// Where an input leads, and what has to be done about it, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The new state; nothing if the order stays as it is.
    pub to: Option<State>,
    pub effects: Vec<Effect>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// From now on the buyer's pages are open for longer.
    RecordPayer,
    PublishPaid,
    PublishCancelled(CancelCause),
    /// Every line returns to the stock.
    ReturnGoods,
    /// The timeline gets a row that says what came, without a change of the state.
    Annotate,
    /// So many rupiah were refunded in all.
    RecordRefund(i64),
    /// A person has to look at the order.
    Alarm,
    /// The input came before its cause: it is handled again later.
    Postpone,
    /// The input cannot be true: it becomes a dead letter.
    Reject,
}

impl Transition {
    /// The move to a state, with the effects that always come with it.
    pub fn to(state: State) -> Self {
        let effects = match &state {
            State::Paid => vec![Effect::RecordPayer, Effect::PublishPaid],
            State::DeliveryFailed(_) => vec![Effect::ReturnGoods],
            State::Failed(reason) => vec![Effect::PublishCancelled(reason.cause())],
            State::Cancelled { cause, .. } => vec![Effect::PublishCancelled(*cause)],
            State::Received
            | State::AwaitingPayment(_)
            | State::Shipped(_)
            | State::Delivered(_)
            | State::Refunded(_) => Vec::new(),
        };
        Self { to: Some(state), effects }
    }
}

fn stays(effects: &[Effect]) -> Transition {
    Transition { to: None, effects: effects.to_vec() }
}

fn no_op() -> Transition {
    stays(&[])
}

fn note() -> Transition {
    stays(&[Effect::Annotate])
}

fn alarm() -> Transition {
    stays(&[Effect::Alarm, Effect::Annotate])
}

fn postpone() -> Transition {
    stays(&[Effect::Postpone])
}

fn reject() -> Transition {
    stays(&[Effect::Reject])
}

impl Status {
    /// Applies table T1 of crates/CONTRACT.md.
    pub fn on(self, input: &Input) -> Transition {
        match input {
            Input::StockReserved(page) => self.on_stock_reserved(page.as_ref()),
            Input::StockInsufficient(reason, _) => self.on_stock_insufficient(*reason),
            Input::PaymentSuccess(..) => self.on_payment_success(),
            Input::PaymentFailed(reason) => self.on_payment_failed(*reason),
            Input::PaymentRefunded(refund) => self.on_payment_refunded(*refund),
            Input::PaymentReversed(..) => alarm(),
            Input::DeliveryShipped(id, _) => self.on_delivery_shipped(*id),
            Input::DeliverySuccess(id) => self.on_delivery_success(*id),
            Input::DeliveryFailed(id, _) => self.on_delivery_failed(*id),
            Input::TimedOut => self.on_timeout(),
        }
    }

    fn on_stock_reserved(self, page: Option<&PaymentPage>) -> Transition {
        match self {
            // Without a page the payment was closed before anybody could pay: its PaymentFailed follows.
            Self::Received => {
                page.map_or_else(note, |page| Transition::to(State::AwaitingPayment(page.clone())))
            }
            Self::AwaitingPayment
            | Self::Paid
            | Self::Shipped
            | Self::Delivered
            | Self::DeliveryFailed
            | Self::Refunded => no_op(),
            Self::Failed | Self::Cancelled => note(),
        }
    }

    fn on_stock_insufficient(self, reason: InsufficientReason) -> Transition {
        match (self, reason) {
            (Self::Received, InsufficientReason::Insufficient) => {
                Transition::to(State::Failed(FailureReason::StockInsufficient))
            }
            (Self::Received, InsufficientReason::ProductGone) => {
                Transition::to(State::Failed(FailureReason::ProductGone))
            }
            (Self::Failed | Self::Cancelled, _) => note(),
            (
                Self::AwaitingPayment
                | Self::Paid
                | Self::Shipped
                | Self::Delivered
                | Self::DeliveryFailed
                | Self::Refunded,
                _,
            ) => reject(),
        }
    }

    fn on_payment_success(self) -> Transition {
        match self {
            Self::Received => postpone(),
            Self::AwaitingPayment => Transition::to(State::Paid),
            Self::Paid | Self::Shipped | Self::Delivered | Self::DeliveryFailed | Self::Refunded => no_op(),
            Self::Failed | Self::Cancelled => note(),
        }
    }

    fn on_payment_failed(self, reason: PaymentFailure) -> Transition {
        match self {
            Self::Received | Self::AwaitingPayment => {
                Transition::to(State::Failed(FailureReason::Payment(reason)))
            }
            Self::Paid | Self::Shipped | Self::Delivered | Self::DeliveryFailed => alarm(),
            Self::Failed | Self::Cancelled => no_op(),
            Self::Refunded => note(),
        }
    }

    fn on_payment_refunded(self, refund: Refund) -> Transition {
        let recorded = stays(&[Effect::Annotate, Effect::RecordRefund(refund.total)]);
        if !refund.full {
            return recorded;
        }
        let undeliverable = matches!(refund.cause, RefundCause::DeliveryFailed);
        match self {
            Self::Paid | Self::Shipped if undeliverable => postpone(),
            Self::DeliveryFailed if undeliverable => Transition::to(State::Refunded(refund.total)),
            Self::Refunded => no_op(),
            Self::Received
            | Self::AwaitingPayment
            | Self::Paid
            | Self::Shipped
            | Self::Delivered
            | Self::DeliveryFailed
            | Self::Failed
            | Self::Cancelled => recorded,
        }
    }

    fn on_delivery_shipped(self, id: DeliveryId) -> Transition {
        match self {
            Self::Received | Self::AwaitingPayment => postpone(),
            Self::Paid => Transition::to(State::Shipped(id)),
            Self::Shipped | Self::Delivered | Self::DeliveryFailed | Self::Refunded => no_op(),
            Self::Failed | Self::Cancelled => reject(),
        }
    }

    fn on_delivery_success(self, id: DeliveryId) -> Transition {
        match self {
            Self::Received | Self::AwaitingPayment => postpone(),
            Self::Paid | Self::Shipped => Transition::to(State::Delivered(id)),
            Self::Delivered => no_op(),
            Self::DeliveryFailed | Self::Refunded | Self::Failed | Self::Cancelled => reject(),
        }
    }

    fn on_delivery_failed(self, id: DeliveryId) -> Transition {
        match self {
            Self::Received | Self::AwaitingPayment => postpone(),
            Self::Paid | Self::Shipped => Transition::to(State::DeliveryFailed(id)),
            Self::DeliveryFailed | Self::Refunded => no_op(),
            Self::Delivered | Self::Failed | Self::Cancelled => reject(),
        }
    }

    fn on_timeout(self) -> Transition {
        match self {
            Self::Received => Transition::to(State::Failed(FailureReason::Timeout)),
            Self::AwaitingPayment
            | Self::Paid
            | Self::Shipped
            | Self::Delivered
            | Self::DeliveryFailed
            | Self::Failed
            | Self::Cancelled
            | Self::Refunded => no_op(),
        }
    }
}

#[cfg(test)]
mod tests;
