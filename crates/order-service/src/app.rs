//! The use cases, one per file: the only code that opens transactions. Other services are called before a transaction
//! begins, never inside one.

mod advance_orders;
mod cancel_order;
mod changes;
mod deadlines;
mod finish_cancellation;
mod place_order;
mod read_orders;
mod reconcile_orders;
mod request_pages;
mod return_goods;
mod skip_numbers;

pub use self::{
    advance_orders::{Advance, advance_order, advance_orders},
    cancel_order::cancel_order,
    deadlines::{ReconcilePaid, ReconcileReceived, ReconcileUnpaid, TimeOut},
    finish_cancellation::{CancelOrderError, ClosePayment, StopDelivery},
    place_order::{PlaceOrderError, PlacedOrder, place_order},
    read_orders::{OrderPage, find_order, list_history, list_orders},
    reconcile_orders::{await_pages, check_pages},
    request_pages::request_pages,
    return_goods::ReturnStock,
    skip_numbers::{SkipNumbersError, skip_taken_numbers},
};
