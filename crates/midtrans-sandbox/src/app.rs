//! What all handlers share.

use std::sync::Arc;

use time::OffsetDateTime;

use crate::Config;
use crate::desk::{Desk, Terms};
use crate::fault::Fault;
use crate::http::{Faults, Replays};
use crate::journal::{JournalError, Writer};
use crate::store::Store;

/// One running sandbox.
#[derive(Debug)]
pub(crate) struct Sandbox {
    pub(crate) config: Config,
    pub(crate) terms: Terms,
    pub(crate) store: Store,
    pub(crate) faults: Faults,
    pub(crate) replays: Replays,
}

pub(crate) type App = Arc<Sandbox>;

impl Sandbox {
    pub(crate) fn open(config: Config) -> Result<(App, Writer), JournalError> {
        let (store, writer) = Store::open(&config.sandbox_state_file)?;
        let terms = Terms {
            server_key: config.midtrans_server_key.clone(),
            notification_url: config.sandbox_notification_url.clone(),
            speedup: config.sandbox_speedup,
        };
        let app = Self { config, terms, store, faults: Faults::default(), replays: Replays::default() };
        Ok((Arc::new(app), writer))
    }

    /// Runs a use case; what it changes is on the disk when this returns.
    pub(crate) async fn desk<T>(&self, work: impl FnOnce(Desk<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let now = OffsetDateTime::now_utc();
        self.store.change(|book| work(Desk { book, terms: &self.terms, now })).await
    }
}
