//! GET /payment: a payment as its owner sees it, up to date.

use std::time::Duration;

use contracts::{OrderId, UserId};

use crate::{
    AppState,
    app::notifications::poll_payment,
    store::{self, View},
};

/// How long a request waits for Midtrans; then it is answered with what is known.
const DEADLINE: Duration = Duration::from_secs(3);

/// The payment of an order, if it is the user's; `None` for everybody's. While it is open Midtrans is asked first, at
/// most every five seconds.
///
/// # Errors
/// If the database does not answer.
pub async fn view_payment(
    state: &AppState,
    order_id: OrderId,
    owner: Option<UserId>,
) -> sqlx::Result<Option<View>> {
    let mut db = state.db.acquire().await?;
    if store::claim_look(&mut db, order_id, owner).await? {
        let attempts = store::list_attempts(&mut db, order_id).await?;
        drop(db);
        if let Some(page) = attempts.iter().rev().find(|attempt| attempt.token.is_some())
            && let Ok(Err(error)) = tokio::time::timeout(DEADLINE, poll_payment::ask(state, page)).await
        {
            let error = chassis::error_chain(&error);
            tracing::warn!(order.id = %order_id, error, "Midtrans could not be asked: showing what is known");
        }
        db = state.db.acquire().await?;
    }
    store::find_view(&mut db, order_id, owner).await
}
