//! Migrations: one replica applies them, the others wait for it, and a program of yesterday still starts afterwards.

use std::{collections::BTreeSet, time::Duration};

use sqlx::{
    Connection, Error, PgConnection, PgPool,
    migrate::{Migrate, MigrateError, Migrator},
    postgres::PgConnectOptions,
};
use tokio::time::{sleep, timeout};

use super::is_transient;
use crate::{BoxError, error_chain};

/// sqlx's own record of what was applied.
const TABLE: &str = "_sqlx_migrations";
const CONNECT: Duration = Duration::from_secs(3);
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What differs for the session that migrates. It holds sqlx's advisory lock, so it ends soon when its process falls
/// silent; and it stands in no queue for a table for long, since everybody else would stand behind it.
const SESSION: [(&str, &str); 4] = [
    ("statement_timeout", "0"),
    ("lock_timeout", "3s"),
    ("idle_session_timeout", "5s"),
    ("idle_in_transaction_session_timeout", "5s"),
];

/// Waits until the database answers, then applies what is pending, each migration in a transaction of its own that takes
/// as long as it takes. Replicas that start together take turns. Failures that pass, locks included, are waited out with
/// growing pauses.
///
/// A database that is ahead, since a newer program migrated it, is welcome: migrations only add, so that the program of
/// yesterday still runs.
///
/// # Errors
/// If a migration is wrong, or an applied one was changed since, or one is applied that lies between those of this
/// program.
pub async fn migrate(pool: &PgPool, migrator: &Migrator) -> Result<(), BoxError> {
    let options = pool.connect_options().as_ref().clone().options(SESSION);
    let mut pause = SHORTEST_PAUSE;
    loop {
        match connect(&options).await {
            Err(error) => tracing::warn!(
                error = error_chain(&error),
                "the database does not answer yet: check DB_HOST, DB_PORT and DB_PASSWORD"
            ),
            Ok(mut connection) => match apply_pending(&mut connection, migrator).await {
                // Closing gives sqlx's lock back at once.
                Ok(()) => return Ok(connection.close().await?),
                Err(error) if is_worth_waiting(&error) => tracing::warn!(
                    error = error_chain(&error),
                    "the migrations were held up, perhaps by those of another replica: trying again"
                ),
                Err(error) => return Err(error.into()),
            },
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, Error> {
    let connection = timeout(CONNECT, PgConnection::connect_with(options)).await;
    connection.unwrap_or(Err(Error::PoolTimedOut))
}

/// Applies what is not applied yet, and checks the rest against what was.
async fn apply_pending(connection: &mut PgConnection, migrator: &Migrator) -> Result<(), MigrateError> {
    connection.lock().await?;
    connection.ensure_migrations_table(TABLE).await?;
    let applied = connection.list_applied_migrations(TABLE).await?;
    let applied: BTreeSet<i64> = applied.into_iter().map(|migration| migration.version).collect();
    check_unknown(&applied, migrator)?;
    let mut unlocked = Migrator::with_migrations(migrator.iter().cloned().collect());
    unlocked.set_locking(false).set_ignore_missing(true);
    for pending in migrator.iter().filter(|migration| !applied.contains(&migration.version)) {
        tracing::info!(version = pending.version, "applying the migration `{}`", pending.description);
        unlocked.run_to(pending.version, &mut *connection).await?;
    }
    unlocked.run(connection).await
}

/// A migration that this program does not have must be newer than all that it has.
fn check_unknown(applied: &BTreeSet<i64>, migrator: &Migrator) -> Result<(), MigrateError> {
    let newest = migrator.iter().map(|migration| migration.version).max().unwrap_or_default();
    for version in applied.iter().copied().filter(|version| !migrator.version_exists(*version)) {
        if version < newest {
            return Err(MigrateError::VersionMissing(version));
        }
        tracing::warn!(version, newest, "the database is ahead: a newer program has migrated it");
    }
    Ok(())
}

/// A table that is missing passes for a statement of the program, but is a fault of a migration, which makes the tables.
fn is_worth_waiting(error: &MigrateError) -> bool {
    let (MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) = error else {
        return false;
    };
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    is_transient(error) && !code.is_some_and(|code| code.starts_with("42"))
}
