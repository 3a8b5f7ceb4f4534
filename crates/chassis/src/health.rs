//! Liveness says that the process runs, readiness that it can do its work: its dependencies answered when they were
//! last asked, and it is not about to stop.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::{BoxError, Lifecycle, error_chain};

/// How often a dependency is asked.
const PERIOD: Duration = Duration::from_secs(2);
/// How long it may take to answer.
const DEADLINE: Duration = Duration::from_secs(2);

/// What is known about the dependencies of this process. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Health {
    /// Per dependency, whether it answered when last asked.
    checks: Arc<Mutex<BTreeMap<&'static str, bool>>>,
}

impl Health {
    /// Asks a dependency from now on. Until its first answer the process is not ready.
    pub fn watch<F, R>(&self, lifecycle: &Lifecycle, name: &'static str, ask: F)
    where
        F: Fn() -> R + Send + 'static,
        R: Future<Output = Result<(), BoxError>> + Send,
    {
        self.set(name, false);
        let (health, shutdown) = (self.clone(), lifecycle.shutdown());
        lifecycle.spawn(name, async move {
            while !shutdown.is_cancelled() {
                let answer = match tokio::time::timeout(DEADLINE, ask()).await {
                    Ok(answer) => answer,
                    Err(elapsed) => Err(elapsed.into()),
                };
                health.note(name, answer);
                shutdown.run_until_cancelled(tokio::time::sleep(PERIOD)).await;
            }
            health.set(name, false);
        });
    }

    /// Sets what is known of a dependency that reports by itself.
    pub fn set(&self, name: &'static str, well: bool) -> bool {
        let mut checks = self.checks.lock().unwrap_or_else(PoisonError::into_inner);
        checks.insert(name, well).unwrap_or_default()
    }

    fn note(&self, name: &'static str, answer: Result<(), BoxError>) {
        let was_well = self.set(name, answer.is_ok());
        match answer {
            Ok(()) if !was_well => tracing::info!(dependency = name, "answers"),
            Err(error) if was_well => {
                tracing::warn!(
                    dependency = name,
                    error = error_chain(&*error),
                    "does not answer: not ready until it does"
                );
            }
            _ => {}
        }
    }

    /// Every dependency and whether it answered when last asked.
    pub fn report(&self) -> BTreeMap<&'static str, bool> {
        self.checks.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
