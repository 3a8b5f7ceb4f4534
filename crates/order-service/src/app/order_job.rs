//! What the jobs about one order have in common.

/// Declares a kind of job whose key is the id of an order: its name in the queue, its pauses, and what it does.
macro_rules! order_job {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $backoff:expr, $run:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name(pub contracts::OrderId);

        impl jobs::Job for $name {
            const KIND: &'static str = $kind;
            const BACKOFF: jobs::Backoff = $backoff;
            type State = $crate::AppState;

            fn key(&self) -> String {
                self.0.to_string()
            }

            fn from_key(key: &str) -> Option<Self> {
                key.parse().ok().map(Self)
            }

            async fn run(&self, state: &Self::State) -> Result<jobs::Outcome, chassis::BoxError> {
                $run(state, self.0).await
            }
        }
    };
}

pub(super) use order_job;
