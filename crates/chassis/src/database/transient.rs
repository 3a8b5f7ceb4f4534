//! Which errors of the database a statement of ours can be blamed for. All others pass, however long that takes.

use sqlx::{
    Error,
    error::DatabaseError,
    postgres::{PgDatabaseError, PgSeverity},
};

/// The classes of <https://www.postgresql.org/docs/current/errcodes-appendix.html> that a wrong statement, wrong data or a
/// wrong use of transactions ends in.
const BLAMES_A_STATEMENT: [&str; 20] = [
    "0A", "20", "21", "22", "23", "24", "25", "26", "27", "2B", "2D", "2F", "34", "38", "39", "3B", "42",
    "44", "54", "P0",
];
/// Codes of those classes that say how the database is at the moment. Statements are checked against the migrations
/// when they are compiled: if a table, column, type or function is missing, or may not be touched, then the database is
/// being restored, or is at another migration than this program.
const BLAMES_THE_DATABASE: [&str; 8] = [
    "25006", // read-only, after a failover
    "25P03", // the session was idle in a transaction for too long
    "25P04", // the transaction took too long
    "42501", // no privilege
    "42703", // no such column
    "42704", // no such type or other object
    "42883", // no such function
    "42P01", // no such table
];

/// Whether the same statement may well succeed later, since nothing is wrong with it. True for all that is not known to be
/// the fault of a statement: consumers then wait for as long as it takes, and a request is answered 503.
pub fn is_transient(error: &Error) -> bool {
    match error {
        Error::Database(error) => !blames_a_statement(error.as_ref()),
        Error::RowNotFound
        | Error::ColumnNotFound(_)
        | Error::ColumnIndexOutOfBounds { .. }
        | Error::ColumnDecode { .. }
        | Error::Decode(_)
        | Error::Encode(_)
        | Error::InvalidArgument(_)
        | Error::InvalidSavePointStatement => false,
        _ => true,
    }
}

fn blames_a_statement(error: &dyn DatabaseError) -> bool {
    let severity = error.try_downcast_ref::<PgDatabaseError>().map(PgDatabaseError::severity);
    if matches!(severity, Some(PgSeverity::Fatal | PgSeverity::Panic)) {
        // It ended the session, or kept it from beginning: whatever the code, no single statement does that.
        return false;
    }
    let code = error.code().unwrap_or_default();
    let is_in = |class: &str| code.starts_with(class);
    BLAMES_A_STATEMENT.into_iter().any(is_in) && !BLAMES_THE_DATABASE.contains(&code.as_ref())
}
