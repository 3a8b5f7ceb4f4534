//! What there is: what each service has committed, what is on its way, and what Midtrans knows.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};

use delivery_service::domain as delivery;
use order_service::domain as order;
use payment_service::domain as payment;
use product_service::domain::hold;

use crate::steps::Step;

/// Everything, at one moment. Each step is one commit of one service, or one thing that happens outside: a crash anywhere
/// is a next step that does not come, or comes later.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    /// Units that nobody holds, of the only product.
    pub free: i64,
    pub sagas: Vec<Saga>,
    /// Events that may still be lost for good.
    pub losses: u8,
    /// A service got what can never be handled.
    pub dead_letter: bool,
}

/// One order of one unit, with all that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saga {
    pub order: Order,
    pub hold: Option<Hold>,
    pub payment: Option<Payment>,
    pub delivery: Option<delivery::Status>,
    pub midtrans: Midtrans,
    /// What was published and not lost for good. It stays: an event comes once, twice or later, in any order, or never.
    pub events: BTreeSet<Event>,
    /// The inboxes: who has handled what.
    pub handled: BTreeSet<Step>,
    /// How often the order was published again.
    pub republished: u8,
    /// What people may still do.
    pub choices: Choices,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub status: order::Status,
    /// A recorded cancellation that another service has to agree to.
    pub cancelling: Option<order::CancelStep>,
    /// Its goods have to return to the stock.
    pub returning: bool,
    /// Cancellations that were answered.
    pub answered: u8,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    pub status: hold::Status,
    /// There was too little.
    pub refused: bool,
    /// Whether an administrator ended the order, once it has ended.
    pub ended_by_admin: Option<bool>,
}

// The services have no need to hash their states.

impl Hash for Saga {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let delivery = self.delivery.map(|status| status as u8);
        (&self.order, &self.hold, &self.payment, delivery).hash(hasher);
        (&self.midtrans, &self.events, &self.handled, self.republished, self.choices).hash(hasher);
    }
}

impl Hash for Order {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let cancelling = self.cancelling.map(|step| step as u8);
        (self.status as u8, cancelling, self.returning, self.answered).hash(hasher);
    }
}

impl Hash for Hold {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (self.status as u8, self.refused, self.ended_by_admin).hash(hasher);
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Payment {
    pub status: payment::Status,
    /// The transaction that paid.
    pub paid: Option<usize>,
    pub order_ended: bool,
    pub undelivered: bool,
    /// It was asked to close: a cancelled transaction is our doing.
    pub closing: bool,
    /// Its page must not be paid any more.
    pub void: bool,
    pub refunds: [Refund; 2],
}

/// The refund of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refund {
    None,
    Requested {
        late: bool,
    },
    Done {
        late: bool,
    },
    /// Midtrans cannot make it: a person has to.
    Manual,
}

impl Refund {
    pub fn is_late(self) -> bool {
        matches!(self, Self::Requested { late: true } | Self::Done { late: true })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Midtrans {
    pub page: Page,
    /// What customers made of the page: at most two.
    pub transactions: [Transaction; 2],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Page {
    None,
    Open,
    /// Its time is up, or we closed it.
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transaction {
    None,
    Pending,
    Challenged,
    Denied,
    Expired,
    Cancelled,
    Paid,
    Refunded,
    ChargedBack,
}

impl Transaction {
    pub fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Challenged)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    Created,
    Reserved,
    Insufficient,
    PaymentSuccess,
    PaymentFailed,
    PaymentRefunded { undelivered: bool },
    PaymentReversed,
    Paid,
    Cancelled { by_admin: bool },
    Shipped,
    Delivered,
    DeliveryFailed,
}

impl Event {
    /// Whether reconciliation notices that it was lost for good. All others are kept by the outbox, which sends them again
    /// whatever Redis loses, for a day; what is lost after that the doctor finds.
    pub fn is_reconciled(self) -> bool {
        matches!(
            self,
            Self::Created
                | Self::Reserved
                | Self::Insufficient
                | Self::PaymentSuccess
                | Self::PaymentFailed
                | Self::Paid
        )
    }
}

/// What may still be done by people and banks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Choices {
    pub buyer_cancels: bool,
    pub admin_cancels: bool,
    /// A second transaction on the same page.
    pub pays_twice: bool,
    /// A bank pays what Midtrans had closed.
    pub pays_late: bool,
    /// A bank takes money back.
    pub charges_back: bool,
    /// The fraud detection holds a card back.
    pub is_challenged: bool,
    /// The goods cannot be delivered.
    pub is_undeliverable: bool,
}

impl World {
    pub fn new(units: i64, orders: usize, choices: Choices, losses: u8) -> Self {
        let order =
            Order { status: order::Status::Received, cancelling: None, returning: false, answered: 0 };
        let midtrans = Midtrans { page: Page::None, transactions: [Transaction::None; 2] };
        let saga = Saga {
            order,
            hold: None,
            payment: None,
            delivery: None,
            midtrans,
            events: BTreeSet::from([Event::Created]),
            handled: BTreeSet::new(),
            republished: 0,
            choices,
        };
        Self { free: units, sagas: vec![saga; orders], losses, dead_letter: false }
    }
}
