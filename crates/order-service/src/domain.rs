//! What an order is, and how it changes. Pure: no database, no network, no clock.

mod basket;
mod cancel;
mod input;
mod limits;
mod order;
mod placement;
mod state;
mod status;
mod transitions;

pub use basket::{Basket, Cart, CartLine, Line, OnSale, Unorderable, price_lines};
pub use cancel::{CancelPlan, CancelStep, Refusal, Requester};
pub use input::{Input, Refund};
pub use limits::{HoldLimits, OverLimit};
pub use order::{HistoryEntry, Item, NewOrder, Order, Receipt, ShippingAddress};
pub use placement::Placement;
pub use state::{FailureReason, PaymentPage, State};
pub use status::Status;
pub use transitions::{Effect, Transition};
