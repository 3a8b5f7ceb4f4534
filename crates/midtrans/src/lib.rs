//! A client of [Midtrans](https://midtrans.com): Snap, the Core API, and HTTP notifications.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use midtrans::{Client, Config, Error, SnapRequest};
//!
//! let midtrans = Client::new(Config::sandbox("SB-Mid-server-abc".into()))?;
//! let page = midtrans.create_snap(&SnapRequest::new("INV-2024-7", 150_000)).await?;
//! println!("pay at {}", page.redirect_url);
//!
//! match midtrans.status("INV-2024-7").await {
//!     Ok(transaction) if transaction.is_paid() => println!("paid {}", transaction.charged_for_order()),
//!     Ok(transaction) => println!("{}", transaction.transaction_status.as_str()),
//!     Err(Error::NotFound(_)) => println!("no method chosen yet"),
//!     Err(error) if error.is_retryable() => println!("ask again later"),
//!     Err(error) => return Err(error.into()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! "Section n" in this documentation is a section of the crate's FACTS.md, which records the fact with its source; the
//! README names the facts that surprise.
//!
//! Tour: [`Client`] (`client.rs`: addresses, authentication, deadline), [`SnapRequest`] (`snap.rs`), status and actions
//! (`core.rs`), [`Transaction`] (`transaction.rs`), [`Notification`] (`notification.rs`), [`Error`] (`error.rs`) and the rule
//! that makes a value or an error of an answer (`response.rs`). Amounts are whole rupiah as `i64`, never floats.

mod amount;
mod client;
mod core;
mod error;
mod lenient;
mod notification;
mod response;
mod snap;
mod times;
mod transaction;

pub use crate::amount::{AmountError, parse_rupiah};
pub use crate::client::{Client, Config};
pub use crate::core::{Refund, RefundReceipt};
pub use crate::error::Error;
pub use crate::notification::{MalformedNotification, Notification, signature_key};
pub use crate::snap::{
    Callbacks, CreditCard, CustomerDetails, Expiry, ExpiryUnit, ItemDetail, PageExpiry, SnapPage,
    SnapRequest, TransactionDetails,
};
pub use crate::transaction::{
    ExtraInfo, FraudStatus, GrossAmountInfo, Metadata, RefundRecord, Transaction, TransactionStatus,
};
