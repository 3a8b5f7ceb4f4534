//! Closes at Midtrans what must not be paid any more.

use chassis::BoxError;
use jobs::{Job, Outcome};

use crate::{
    AppState,
    app::{
        closing::close_attempt::{Closing, close_attempt},
        settle::{Finding, settle},
    },
    store,
};

/// Closes the attempt with this id at Midtrans.
#[derive(Debug)]
pub struct VoidAttempt(pub String);

impl Job for VoidAttempt {
    const KIND: &'static str = "void";
    type State = AppState;

    fn key(&self) -> String {
        self.0.clone()
    }

    fn from_key(key: &str) -> Option<Self> {
        Some(Self(key.to_owned()))
    }

    async fn run(&self, state: &AppState) -> Result<Outcome, BoxError> {
        let attempt = store::find_attempt(&mut *state.db.acquire().await?, &self.0).await?;
        let Some(attempt) = attempt else { return Ok(Outcome::Done) };
        match close_attempt(state, &attempt).await? {
            Closing::Closed => settle(state, &self.0, Finding::Closed).await?,
            Closing::StillOpen(observation) => {
                settle(state, &self.0, Finding::Observed(&observation)).await?
            }
        };
        Ok(Outcome::Done)
    }
}
