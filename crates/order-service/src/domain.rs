//! What an order is and what may become of it. Pure: no database, no network, no clock.

mod basket;
mod cancel;
mod input;
mod limits;
mod order;
mod state;
mod status;
mod transitions;

pub use basket::{Basket, Cart, CartLine, Line, OnSale, Unorderable, price_lines};
pub use cancel::{By, CancelPlan, CancelStep, Refusal};
pub use input::{Input, Returned};
pub use limits::{HoldLimits, OverLimit};
pub use order::{HistoryEntry, Item, NewOrder, Order, Receipt, ShippingAddress};
pub use state::{FailureReason, PaymentPage, State};
pub use status::Status;
pub use transitions::Step;
