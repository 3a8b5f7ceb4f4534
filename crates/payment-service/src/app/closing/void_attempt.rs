//! Closes at Midtrans what must not be paid any more.

use chassis::BoxError;
use jobs::{Job, Outcome};

use crate::{AppState, app::closing::close_attempt::close_and_settle, domain::Finding, store};

/// Closes an attempt at Midtrans, by the id that it has there.
#[derive(Debug)]
pub struct VoidAttempt;

impl Job for VoidAttempt {
    const KIND: &'static str = "void";
    type State = AppState;
    type Key = String;

    async fn run(state: &AppState, midtrans_order_id: String) -> Result<Outcome, BoxError> {
        let attempt = store::find_attempt(&mut *state.db.acquire().await?, &midtrans_order_id).await?;
        if let Some(attempt) = attempt {
            close_and_settle(state, &attempt, Finding::Closed).await?;
        }
        Ok(Outcome::Done)
    }
}
