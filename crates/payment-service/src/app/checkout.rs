//! From the order to the page on which it is paid, and to what its owner sees.

pub mod confirm_payment;
pub mod make_link;
pub mod open_payments;
pub mod view_payment;
