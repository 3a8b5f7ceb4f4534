//! `ConfirmPayment`: delivery-service asks whether the money is there before goods leave.

use std::time::Duration;

use contracts::{OrderId, UserId};

use crate::{
    AppState,
    app::notifications::poll_payment,
    domain::{Payment, Status},
    store,
};

/// How long Midtrans is waited for; the caller gives up after two seconds.
const DEADLINE: Duration = Duration::from_millis(1_500);

/// Where the money of an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmation {
    pub status: Status,
    /// Whether Midtrans has just said so.
    pub confirmed: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum ConfirmPaymentError {
    #[error("the order has no payment")]
    Unknown,
    /// The payment is for another order that had the same number.
    #[error("the payment is another buyer's")]
    Mismatch,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Asks Midtrans about the attempt that paid, and returns where the payment stands then. Without an answer in time, what was
/// known before.
///
/// # Errors
/// As listed by [`ConfirmPaymentError`].
pub async fn confirm_payment(
    state: &AppState,
    order_id: OrderId,
    user_id: Option<UserId>,
) -> Result<Confirmation, ConfirmPaymentError> {
    let payment = find(state, order_id).await?;
    if user_id.is_some_and(|user_id| user_id != payment.user_id) {
        return Err(ConfirmPaymentError::Mismatch);
    }
    let Some(paid) = payment.paid.as_ref().filter(|_| payment.status.is_paid()) else {
        return Ok(Confirmation { status: payment.status, confirmed: true });
    };
    Ok(match ask(state, &paid.midtrans_order_id).await {
        Some(status) => Confirmation { status, confirmed: true },
        None => Confirmation { status: find(state, order_id).await?.status, confirmed: false },
    })
}

async fn find(state: &AppState, order_id: OrderId) -> Result<Payment, ConfirmPaymentError> {
    let payment = store::find_payment(&mut *state.db.acquire().await?, order_id).await?;
    payment.ok_or(ConfirmPaymentError::Unknown)
}

/// Where the payment stands by what Midtrans says now.
async fn ask(state: &AppState, midtrans_order_id: &str) -> Option<Status> {
    let asked = async {
        let attempt = store::find_attempt(&mut *state.db.acquire().await?, midtrans_order_id).await?;
        match attempt {
            Some(attempt) => poll_payment::ask(state, &attempt).await,
            None => Ok(None),
        }
    };
    match tokio::time::timeout(DEADLINE, asked).await {
        Ok(Ok(status)) => status,
        Ok(Err(error)) => {
            let error = chassis::error_chain(&error);
            tracing::warn!(midtrans_order_id, error, "Midtrans could not be asked before goods leave");
            None
        }
        Err(_late) => None,
    }
}
