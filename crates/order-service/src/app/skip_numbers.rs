//! Never gives a number out twice: after a restore of this database to an earlier state, its sequence goes on from a number
//! that the other services know as another order's.

use tonic::Status;

use crate::{AppState, store};

/// Why it is not known which numbers are free.
#[derive(Debug, thiserror::Error)]
pub enum SkipNumbersError {
    #[error("product-service")]
    Product(#[source] Status),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Skips the numbers that product-service knows: every order that was ever placed asked it for goods.
///
/// # Errors
/// As listed by [`SkipNumbersError`].
pub async fn skip_taken_numbers(state: &AppState) -> Result<(), SkipNumbersError> {
    let taken = state.clients.latest_order().await.map_err(SkipNumbersError::Product)?;
    if store::orders::skip_numbers(&mut *state.db.acquire().await?, taken).await? {
        tracing::error!(
            taken,
            "order_db is older than product_db: the numbers in between are skipped; `stack doctor` says what is missing"
        );
    }
    state.numbers_are_free.store(true, std::sync::atomic::Ordering::Relaxed);
    Ok(())
}
