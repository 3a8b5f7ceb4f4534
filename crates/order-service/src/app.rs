//! The use cases, one per file: the only code that opens transactions. Clients are asked before a transaction begins,
//! never inside one.

pub mod advance_order;
pub mod cancel_order;
mod check_limits;
pub mod finish_cancellation;
mod order_job;
pub mod place_order;
pub mod read_orders;
pub mod reconcile_orders;
pub mod return_goods;
pub mod skip_numbers;
