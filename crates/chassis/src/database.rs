//! PostgreSQL: one bounded pool per process, sessions that outlive no process for long, and migrations under a lock.

mod migrate;
mod transient;

use std::{panic::Location, time::Duration};

use secrecy::ExposeSecret;
/// A service without a database has to name it too: see [`Service::state`](crate::Service::state).
pub use sqlx::PgPool;
use sqlx::{
    Connection, PgConnection, PgTransaction,
    postgres::{PgConnectOptions, PgPoolOptions, types::PgInterval},
};
use tokio::time::timeout;

pub use migrate::migrate;
pub use transient::is_transient;

use crate::{Database, failpoint};

/// How long a request waits for a connection before it is answered 503.
const ACQUIRE: Duration = Duration::from_secs(3);
/// A connection that was idle for so long is asked whether it lives before it is used.
const IDLE: Duration = Duration::from_millis(500);
/// How long it may take to answer; the acquisition still has time for another one.
const PING: Duration = Duration::from_secs(1);

/// What PostgreSQL holds every session to. A process that is frozen, or that the network has lost, keeps its locks for
/// 15 s at most: the statement it is in ends, and then its transaction.
const SESSION: [(&str, &str); 8] = [
    // Every caller has given up by then.
    ("statement_timeout", "10s"),
    // No transaction of ours waits for anything but the database.
    ("idle_in_transaction_session_timeout", "5s"),
    // A peer that does not acknowledge is dead after 5 + 3 * 2 s, whether it owes us an answer or we it.
    ("tcp_keepalives_idle", "5"),
    ("tcp_keepalives_interval", "2"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "10s"),
    // A statement does not run on for a process that was killed.
    ("client_connection_check_interval", "5s"),
    // Notices, such as of a table that is there already, are noise in our logs.
    ("client_min_messages", "warning"),
];

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
            .options(SESSION);
        PgPoolOptions::new()
            .max_connections(self.db_max_connections)
            .acquire_timeout(ACQUIRE)
            // Asking before every use would double the round trips; a connection that was in use just now is there.
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move { Ok(meta.idle_for < IDLE || answers(connection).await) })
            })
            // The pool asks as well, but without a deadline: a connection that the network has lost would keep its place.
            .after_release(|connection, _| Box::pin(async move { Ok(answers(connection).await) }))
            .connect_lazy_with(options)
    }
}

async fn answers(connection: &mut PgConnection) -> bool {
    timeout(PING, connection.ping()).await.is_ok_and(|answer| answer.is_ok())
}

/// Commits, between two failpoints that are named after the caller.
///
/// # Errors
/// If PostgreSQL did not say that it has committed; it may have.
#[track_caller]
pub fn commit(tx: PgTransaction<'_>) -> impl Future<Output = sqlx::Result<()>> + Send {
    failpoint::around("the commit in", Location::caller(), tx.commit())
}

/// A duration as PostgreSQL adds it to a time; one that is too long for it is the longest there is.
pub fn interval(duration: Duration) -> PgInterval {
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    PgInterval { months: 0, days: 0, microseconds }
}
