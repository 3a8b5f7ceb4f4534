//! What PostgreSQL answers, and what that means.

use chassis::{Problem, database::is_transient};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool, migrate::Migrator, postgres::PgConnectOptions};
use testkit::TestDatabase;

async fn database() -> TestDatabase {
    TestDatabase::create("chassis", &Migrator::with_migrations(Vec::new())).await
}

/// The error that PostgreSQL answers when a statement raises this code.
async fn raised(pool: &PgPool, code: &str) -> sqlx::Error {
    let raise = format!("do $$ begin raise exception using errcode = '{code}'; end $$");
    sqlx::query(AssertSqlSafe(raise)).execute(pool).await.unwrap_err()
}

/// One code of every class of <https://www.postgresql.org/docs/current/errcodes-appendix.html> that a statement of ours
/// can be blamed for.
const OUR_FAULT: [&str; 30] = [
    "0A000", "20000", "21000", "22001", "22003", "22012", "2201X", "22021", "22P02", "23502", "23503",
    "23505", "23514", "24000", "25001", "25P02", "26000", "27000", "2B000", "2D000", "2F005", "34000",
    "38000", "39000", "3B001", "42601", "42804", "44000", "54001", "P0001",
];

/// The others, and those of the classes above that say how the database is at the moment.
const PASSING: [&str; 35] = [
    "08000", "08006", "08P01", "25006", "25P03", "25P04", "28000", "28P01", "3D000", "3F000", "40001",
    "40P01", "42501", "42703", "42704", "42883", "42P01", "53000", "53100", "53200", "53300", "55000",
    "55006", "55P03", "57000", "57014", "57P01", "57P02", "57P03", "57P04", "57P05", "58000", "58030",
    "F0000", "XX000",
];

#[tokio::test]
async fn only_what_a_statement_can_be_blamed_for_is_a_bug() {
    let database = database().await;
    for code in OUR_FAULT {
        let error = raised(&database.pool, code).await;
        assert!(!is_transient(&error), "{code}");
        assert_eq!(Problem::from(error).status(), 500, "{code}");
    }
    for code in PASSING {
        let error = raised(&database.pool, code).await;
        assert!(is_transient(&error), "{code}");
        let problem = Problem::from(error);
        assert_eq!((problem.status().as_u16(), problem.code()), (503, "database_unavailable"), "{code}");
    }
}

#[tokio::test]
async fn what_no_server_answered_is_a_bug_only_if_we_asked_wrongly() {
    let broken = || std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    for passing in [
        sqlx::Error::Io(broken()),
        sqlx::Error::Tls(broken().into()),
        sqlx::Error::Protocol("half a message".to_owned()),
        sqlx::Error::Configuration("no certificate".into()),
        sqlx::Error::TypeNotFound { type_name: "mood".to_owned() },
        sqlx::Error::PoolTimedOut,
        sqlx::Error::PoolClosed,
        sqlx::Error::WorkerCrashed,
        sqlx::Error::BeginFailed,
    ] {
        assert!(is_transient(&passing), "{passing}");
    }
    for ours in [
        sqlx::Error::RowNotFound,
        sqlx::Error::ColumnNotFound("name".to_owned()),
        sqlx::Error::ColumnIndexOutOfBounds { index: 2, len: 1 },
        sqlx::Error::ColumnDecode { index: "0".to_owned(), source: "not a number".into() },
        sqlx::Error::Decode("not a number".into()),
        sqlx::Error::Encode("too long".into()),
        sqlx::Error::InvalidArgument("none".to_owned()),
        sqlx::Error::InvalidSavePointStatement,
    ] {
        assert!(!is_transient(&ours), "{ours}");
    }
}

async fn connecting(options: PgConnectOptions) -> sqlx::Error {
    PgConnection::connect_with(&options).await.map(drop).unwrap_err()
}

#[tokio::test]
async fn whatever_ends_a_session_or_keeps_it_from_beginning_is_no_fault_of_a_statement() {
    let TestDatabase { options, .. } = database().await;
    let nowhere = options.clone().port(1);
    for error in [
        connecting(options.clone().database("renamed")).await,
        connecting(options.clone().username("nobody")).await,
        // 22023 and 42704, which would be our fault as the answer to a statement.
        connecting(options.clone().options([("statement_timeout", "soon")])).await,
        connecting(options.clone().options([("idle_session_time", "5s")])).await,
        connecting(nowhere).await,
    ] {
        assert!(is_transient(&error), "{error}");
    }
}
