//! What all handlers share: the store with the state, the configuration, and what is injected.

use std::sync::Arc;

use time::OffsetDateTime;

use crate::Config;
use crate::commands::{CommandHandler, Terms};
use crate::error::CommandError;
use crate::fault_injection::FaultInjection;
use crate::journal::JournalError;
use crate::store::Store;
use crate::stored_replies::StoredReplies;

#[derive(Debug)]
pub(crate) struct Sandbox {
    pub(crate) config: Config,
    pub(crate) terms: Terms,
    pub(crate) store: Store,
    pub(crate) fault_injection: FaultInjection,
    pub(crate) stored_replies: StoredReplies,
}

pub(crate) type App = Arc<Sandbox>;

impl Sandbox {
    pub(crate) fn open(config: Config) -> Result<App, JournalError> {
        let store = Store::open(&config.sandbox_state_file)?;
        let terms = Terms {
            server_key: config.midtrans_server_key.clone(),
            notification_url: config.sandbox_notification_url.clone(),
            speedup: config.sandbox_speedup,
        };
        let (fault_injection, stored_replies) = (FaultInjection::default(), StoredReplies::default());
        let app = Self { config, terms, store, fault_injection, stored_replies };
        Ok(Arc::new(app))
    }

    /// Runs a use case; what it changes is in the file when this returns.
    pub(crate) fn handle<T>(
        &self,
        work: impl FnOnce(CommandHandler<'_>) -> Result<T, CommandError>,
    ) -> Result<T, CommandError> {
        let now = OffsetDateTime::now_utc();
        self.store.change(|state| work(CommandHandler { state, terms: &self.terms, now }))
    }
}
