//! The tables as the services have them: the model decides nothing that they decide.

use std::time::Duration;

use chassis::context::Trace;
use contracts::events::{CancelCause, InsufficientReason, RefundCause};
use contracts::{DeliveryId, OrderId, ProductId, UserId};
use delivery_service::domain as delivery;
use order_service::domain as order;
use payment_service::domain as payment;
use product_service::domain::{allocation, hold, movement};
use time::OffsetDateTime;

/// The functions of the services. A test replaces one of them, to see that the model would find it.
#[derive(Clone, Copy)]
pub struct Rules {
    pub order: fn(order::Status, &order::Input) -> order::Transition,
    pub cancel: fn(order::Status, order::Requester) -> order::CancelPlan,
    pub hold: fn(Option<&hold::Hold>, hold::Input<'_>) -> Result<hold::Transition, hold::Rejection>,
    pub payment: fn(&payment::Payment, payment::Answer) -> payment::Transition,
    pub second: fn(&payment::Payment, payment::Answer) -> payment::Transition,
    pub delivery:
        fn(delivery::Status, delivery::Input) -> Result<delivery::Transition, delivery::IllegalChange>,
}

impl Rules {
    pub const OF_THE_SERVICES: Self = Self {
        order: order::Status::on,
        cancel: order::Status::plan_cancel,
        hold: hold::Hold::on,
        payment: payment::Payment::on,
        second: payment::Payment::on_second,
        delivery: delivery::Status::on,
    };
}

fn id<T: TryFrom<i64, Error: std::fmt::Debug>>() -> T {
    T::try_from(1).unwrap()
}

pub fn line() -> allocation::Line {
    allocation::Line { product_id: id::<ProductId>(), quantity: 1 }
}

/// How a movement of one unit changes what is free.
pub fn moved(reason: movement::Reason) -> i64 {
    movement::Movement::of_order(id::<OrderId>(), &line(), reason).delta
}

/// A hold of one unit.
pub fn hold(status: hold::Status, refused: bool, ended_by_admin: Option<bool>) -> hold::Hold {
    let cause = |by_admin| if by_admin { CancelCause::Admin } else { CancelCause::Payment };
    let refusal =
        refused.then(|| allocation::Refusal { reason: InsufficientReason::Insufficient, items: Vec::new() });
    hold::Hold {
        status,
        lines: vec![line()],
        refusal,
        cancel_cause: ended_by_admin.map(cause),
        user_id: Some(id::<UserId>()),
        total_amount: Some(1),
    }
}

/// A payment of one rupiah, which a transaction may have paid.
pub fn payment(
    status: payment::Status,
    paid: Option<usize>,
    order_ended: bool,
    undelivered: bool,
) -> payment::Payment {
    let paid = paid.map(|transaction| payment::Paid {
        midtrans_order_id: String::new(),
        transaction_id: transaction.to_string(),
        payment_type: String::new(),
        at: OffsetDateTime::UNIX_EPOCH,
        amount: 1,
    });
    payment::Payment {
        order_id: id::<OrderId>(),
        user_id: id::<UserId>(),
        amount: Some(1),
        status,
        expires_at: None,
        paid,
        refunded_amount: 0,
        order_ended,
        undelivered,
        trace: Trace { correlation_id: String::new(), traceparent: String::new() },
    }
}

pub fn page() -> order::PaymentPage {
    order::PaymentPage { url: String::new(), expires: OffsetDateTime::UNIX_EPOCH, lifetime: Duration::ZERO }
}

pub fn delivery_id() -> DeliveryId {
    id::<DeliveryId>()
}

/// All of the money went back.
pub fn refunded(undelivered: bool) -> order::Refund {
    let cause = if undelivered { RefundCause::DeliveryFailed } else { RefundCause::Late };
    order::Refund { cause, amount: 1, total: 1, full: true }
}
