//! What each event gives reason to say.

use contracts::{
    OrderId, UserId,
    events::{
        CancelCause, DeliveryFailed, DeliveryShipped, DeliverySuccess, Event, Item, OrderCancelled,
        OrderCreated, OrderPaid, PaymentRefunded, StockReserved,
    },
};

use super::{Details, Kind};

/// What there is to say, and to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct What {
    pub kind: Kind,
    pub order_id: OrderId,
    pub user_id: UserId,
    /// Distinguishes what may happen to an order more than once.
    pub part: String,
    pub details: Details,
}

impl What {
    fn new(kind: Kind, order_id: OrderId, user_id: UserId, details: Details) -> Self {
        Self { kind, order_id, user_id, part: String::new(), details }
    }
}

/// An event that a customer is notified of.
pub trait Notifies: Event {
    /// What to say; nothing if nothing has changed for the buyer, or an older process published it without one.
    fn what(&self) -> Option<What>;
}

fn units(items: &[Item]) -> i64 {
    items.iter().map(|item| i64::from(item.quantity)).sum()
}

impl Notifies for OrderCreated {
    fn what(&self) -> Option<What> {
        let details = Details {
            amount: Some(self.total_amount),
            units: Some(units(&self.items)),
            ..Details::default()
        };
        Some(What::new(Kind::OrderReceived, self.order_id, self.user_id, details))
    }
}

impl Notifies for StockReserved {
    fn what(&self) -> Option<What> {
        Some(What::new(Kind::PaymentDue, self.order_id, self.user_id?, Details::default()))
    }
}

impl Notifies for OrderPaid {
    fn what(&self) -> Option<What> {
        let details = Details {
            amount: Some(self.total_amount),
            units: Some(units(&self.items)),
            ..Details::default()
        };
        Some(What::new(Kind::Paid, self.order_id, self.user_id, details))
    }
}

impl Notifies for OrderCancelled {
    fn what(&self) -> Option<What> {
        let kind = match self.cause {
            CancelCause::Customer | CancelCause::Admin => Kind::Cancelled,
            CancelCause::Stock | CancelCause::Payment | CancelCause::Timeout => Kind::Failed,
        };
        let details =
            Details { amount: self.total_amount, cancel_cause: Some(self.cause), ..Details::default() };
        Some(What::new(kind, self.order_id, self.user_id, details))
    }
}

impl Notifies for DeliveryShipped {
    fn what(&self) -> Option<What> {
        let details = Details { tracking_number: self.tracking_number.clone(), ..Details::default() };
        Some(What::new(Kind::Shipped, self.order_id, self.user_id?, details))
    }
}

impl Notifies for DeliverySuccess {
    fn what(&self) -> Option<What> {
        Some(What::new(Kind::Delivered, self.order_id, self.user_id?, Details::default()))
    }
}

impl Notifies for DeliveryFailed {
    fn what(&self) -> Option<What> {
        Some(What::new(Kind::Undeliverable, self.order_id, self.user_id?, Details::default()))
    }
}

impl Notifies for PaymentRefunded {
    /// Nothing for the refund of nothing, which only says that there is nothing left to refund.
    fn what(&self) -> Option<What> {
        if self.amount == 0 {
            return None;
        }
        let details = Details {
            amount: Some(self.amount),
            refund_cause: Some(self.cause),
            refunded_total: Some(self.refunded_total),
            fully_refunded: Some(self.full),
            ..Details::default()
        };
        let part = self.refunded_total.to_string();
        Some(What { part, ..What::new(Kind::Refunded, self.order_id, self.user_id?, details) })
    }
}
