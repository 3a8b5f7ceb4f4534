//! What an order is and what may become of it. Pure: no database, no network, no clock.

mod basket;
mod cancel;
mod input;
mod order;
mod state;
mod status;
mod transitions;

pub use basket::{CartLine, Line, OnSale, Unorderable, price_lines};
pub use cancel::{By, CancelPlan, Refusal};
pub use input::{Input, Returned};
pub use order::{HistoryEntry, Item, NewOrder, Order, Receipt, ShippingAddress};
pub use state::{FailureReason, PaymentPage, State};
pub use status::Status;
pub use transitions::Step;
