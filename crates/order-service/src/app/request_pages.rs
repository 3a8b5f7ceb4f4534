//! Requests the payment pages of orders whose goods are held.

use std::{collections::BTreeMap, time::Duration};

use contracts::OrderId;

use super::{await_pages, check_pages};
use crate::{
    AppState,
    clients::{PageAnswer, PageRequest},
    domain::PaymentPage,
    store::{self, orders::Payable},
};

/// The page of an order; nothing if its payment is closed. Or why it is not known yet.
pub type Page = Result<Option<PaymentPage>, &'static str>;

/// The pages of those of the orders that still wait for one. What payment-service does not answer now is requested again
/// later.
///
/// # Errors
/// If the database does not answer.
pub async fn request_pages(state: &AppState, ids: &[OrderId]) -> sqlx::Result<BTreeMap<OrderId, Page>> {
    let numbers: Vec<i64> = ids.iter().map(|id| id.get()).collect();
    let payable = store::orders::list_payable(&mut *state.db.acquire().await?, &numbers).await?;
    if payable.is_empty() {
        return Ok(BTreeMap::new());
    }
    let requests = payable.iter().map(|order| PageRequest {
        order: order.id,
        amount: order.total_amount,
        buyer: order.user_id,
        lifetime: if order.has_paid { Duration::ZERO } else { state.new_buyer_expiry },
    });
    let answers = match state.clients.payment_pages(requests).await {
        Ok(answers) => answers,
        Err(status) => {
            tracing::warn!(error = %status, orders = payable.len(), "payment-service did not answer");
            vec![PageAnswer::Later; payable.len()]
        }
    };
    reconcile(state, &payable, &answers).await?;
    Ok(payable.iter().zip(answers).map(|(order, answer)| (order.id, page(answer))).collect())
}

fn page(answer: PageAnswer) -> Page {
    match answer {
        PageAnswer::Open(page) => Ok(Some(page)),
        PageAnswer::Closed => Ok(None),
        PageAnswer::Unknown => Err("payment-service does not know the order yet"),
        PageAnswer::Later => Err("payment-service has not made the page yet"),
    }
}

async fn reconcile(state: &AppState, payable: &[Payable], answers: &[PageAnswer]) -> sqlx::Result<()> {
    let with = |wanted: &PageAnswer| -> Vec<OrderId> {
        let answered = payable.iter().zip(answers).filter(|(_, answer)| *answer == wanted);
        answered.map(|(order, _)| order.id).collect()
    };
    let (later, unknown) = (with(&PageAnswer::Later), with(&PageAnswer::Unknown));
    if !later.is_empty() {
        await_pages(state, &later).await?;
    }
    if !unknown.is_empty() {
        check_pages(state, &unknown).await?;
    }
    Ok(())
}
