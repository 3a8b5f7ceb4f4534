//! Whether an order may be cancelled, by whom, and who has to agree: the last rows of the contract's table T1.

use contracts::events::CancelCause;

use super::Status;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requester {
    Buyer,
    Admin {
        /// Whether the order is the administrator's own.
        owner: bool,
    },
}

/// What has to happen before an order is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelPlan {
    AtOnce,
    /// Another service has to do this.
    After(CancelStep),
    /// It is cancelled already: a repetition is no error.
    Done,
    /// It cannot be cancelled, and stays as it is.
    Refused(Refusal),
}

/// What another service has to do before an order is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum CancelStep {
    /// payment-service has to close the payment.
    ClosePayment,
    /// delivery-service has to stop the delivery.
    StopDelivery,
}

impl CancelStep {
    /// Where an order is that needs it.
    pub const fn status(self) -> Status {
        match self {
            Self::ClosePayment => Status::AwaitingPayment,
            Self::StopDelivery => Status::Paid,
        }
    }
}

/// Why an order cannot be cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is paid, and the buyer alone cannot undo that.
    AlreadyPaid,
    /// Its goods have left, whatever became of them then.
    AlreadyShipped,
    /// It has ended otherwise: FAILED or REFUNDED.
    Ended,
}

impl Status {
    /// What has to happen before an order in this state is cancelled.
    pub const fn plan_cancel(self, requester: Requester) -> CancelPlan {
        match (self, requester) {
            (Self::Received, _) => CancelPlan::AtOnce,
            (Self::AwaitingPayment, _) => CancelPlan::After(CancelStep::ClosePayment),
            (Self::Paid, Requester::Admin { .. }) => CancelPlan::After(CancelStep::StopDelivery),
            (Self::Paid, Requester::Buyer) => CancelPlan::Refused(Refusal::AlreadyPaid),
            (Self::Shipped | Self::Delivered | Self::DeliveryFailed, _) => {
                CancelPlan::Refused(Refusal::AlreadyShipped)
            }
            (Self::Cancelled, _) => CancelPlan::Done,
            (Self::Failed | Self::Refunded, _) => CancelPlan::Refused(Refusal::Ended),
        }
    }
}

impl Requester {
    /// The cause to publish. A paid order is only ever cancelled by an administrator, whoever bought it.
    pub const fn cause(self, from: Status) -> CancelCause {
        match (self, from) {
            (_, Status::Paid) | (Self::Admin { owner: false }, _) => CancelCause::Admin,
            (Self::Buyer | Self::Admin { owner: true }, _) => CancelCause::Customer,
        }
    }
}
