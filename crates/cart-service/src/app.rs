//! What this service does, a file per use case. Each changes a cart by one script of [`crate::store`].

pub mod add_item;
pub mod set_quantity;
pub mod view_cart;
