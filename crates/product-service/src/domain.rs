//! What is sold, and what is held of it for orders. Pure: no IO.

pub mod allocation;
pub mod catalogue;
pub mod hold;
pub mod movement;
