//! Money that is refunded: by whom it is requested, and how it is made and recorded.

pub mod enqueue_refund;
pub mod make_refund;
pub mod record_refund;
pub mod refund_undelivered;
pub mod request_refund;
