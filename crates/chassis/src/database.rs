//! PostgreSQL: one bounded pool per process, and migrations under a lock.

mod transient;

use std::time::Duration;

use secrecy::ExposeSecret;
/// A service without a database has to name it too: see [`Service::app`](crate::Service::app).
pub use sqlx::PgPool;
use sqlx::{
    Connection,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};

pub use transient::is_transient;

use crate::{BoxError, Database, problem::chain};

/// How long a request waits for a connection before it is answered 503.
const ACQUIRE: Duration = Duration::from_secs(3);
/// A connection that was idle for so long is asked whether it lives before it is used.
const IDLE: Duration = Duration::from_millis(500);
/// A statement that runs longer is ended by the server: every caller has given up by then.
const STATEMENT: &str = "15s";

impl Database {
    /// A pool that connects when it is first used.
    pub fn pool(&self, name: &str, application: &str) -> PgPool {
        let options = PgConnectOptions::new_without_pgpass()
            .host(&self.db_host)
            .port(self.db_port)
            .username(&self.db_user)
            .password(self.db_password.expose_secret())
            .database(name)
            .application_name(application)
            // Notices, such as of a table that is there already, are noise in our logs.
            .options([("statement_timeout", STATEMENT), ("client_min_messages", "warning")]);
        PgPoolOptions::new()
            .max_connections(self.db_max_connections)
            .acquire_timeout(ACQUIRE)
            // Asking before every use would double the round trips; a connection that was in use just now is there.
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    let idle = meta.idle_for >= IDLE;
                    Ok(!idle || connection.ping().await.is_ok())
                })
            })
            .connect_lazy_with(options)
    }
}

/// Waits until the database answers, with growing pauses, then applies what is pending. Replicas that start together
/// take turns: sqlx holds an advisory lock meanwhile.
///
/// # Errors
/// If a migration fails, or an applied one was changed since.
pub async fn migrate(pool: &PgPool, migrator: &Migrator) -> Result<(), BoxError> {
    let mut pause = Duration::from_millis(100);
    while let Err(error) = pool.acquire().await {
        tracing::warn!(
            error = chain(&error),
            "the database does not answer yet: check DB_HOST, DB_PORT and DB_PASSWORD"
        );
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
    Ok(migrator.run(pool).await?)
}
