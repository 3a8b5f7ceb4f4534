//! The use cases, one file each.

mod add_item;
mod set_quantity;
mod view_cart;

pub use self::{
    add_item::{AddItemError, add_item},
    set_quantity::{SetQuantityError, set_quantity},
    view_cart::view_cart,
};
