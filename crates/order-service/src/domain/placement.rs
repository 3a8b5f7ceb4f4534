//! An order that is to be placed.

use chassis::context::Trace;
use contracts::UserId;
use serde_json::Value;

use super::{Basket, ShippingAddress};

/// What the buyer of a cart wants, priced.
#[derive(Debug)]
pub struct Placement {
    pub buyer: UserId,
    pub basket: Basket,
    pub address: Option<ShippingAddress>,
    /// The Idempotency-Key, which had no reply when the cart was read.
    pub key: Option<String>,
    /// What the key stands for: a repetition has to ask for the same.
    pub request: Value,
    /// `OrderCreated` is published as part of this.
    pub trace: Trace,
}
