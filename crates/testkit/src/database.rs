//! A database per test, copied from a template.

use sqlx::{
    AssertSqlSafe, Connection, Executor, PgConnection, PgPool, migrate::Migrator, postgres::PgConnectOptions,
};
use uuid::Uuid;

/// A migrated database that only one test uses. It goes with the PostgreSQL that `make test` started.
#[derive(Debug)]
pub struct TestDatabase {
    /// How to connect to it, for pools of its own.
    pub options: PgConnectOptions,
    /// A pool for the test's own questions.
    pub pool: PgPool,
    /// The name of the database, which no other test has.
    pub name: String,
}

fn server() -> PgConnectOptions {
    #[allow(clippy::disallowed_methods, reason = "it is set by `stack databases`, which runs the tests")]
    let url = std::env::var("TEST_POSTGRES_URL")
        .expect("TEST_POSTGRES_URL is not set: run the tests with `make test`");
    url.parse().expect("TEST_POSTGRES_URL is a PostgreSQL URL")
}

impl TestDatabase {
    /// Copies the template of these migrations, which is made by the first test that needs it.
    pub async fn create(service: &str, migrator: &Migrator) -> Self {
        let server = server();
        let mut connection = PgConnection::connect_with(&server).await.expect("PostgreSQL answers");
        let template = template(&mut connection, &server, service, migrator).await;
        let name = format!("t_{}", Uuid::new_v4().simple());
        // Copying files beats logging every page of the copy, since tests are run without fsync.
        let copy = format!("create database {name} template {template} strategy file_copy");
        connection.execute(AssertSqlSafe(copy)).await.expect("the template is copied");
        let options = server.database(&name);
        let pool = PgPool::connect_lazy_with(options.clone());
        Self { options, pool, name }
    }
}

/// The template's name says which migrations it holds, so that a changed migration makes another one.
async fn template(
    connection: &mut PgConnection,
    server: &PgConnectOptions,
    service: &str,
    migrator: &Migrator,
) -> String {
    let migrations = migrator.iter().flat_map(|migration| migration.checksum.iter().copied());
    let checksum = migrations.fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let name = format!("template_{}_{checksum:x}", service.replace('-', "_"));
    // One test at a time makes templates; the others find it made.
    connection.execute("select pg_advisory_lock(4711)").await.expect("the lock is free at some time");
    let made: bool = sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
        .bind(&name)
        .fetch_one(&mut *connection)
        .await
        .expect("pg_database can be read");
    if !made {
        let draft = format!("draft_{}", Uuid::new_v4().simple());
        connection.execute(AssertSqlSafe(format!("create database {draft}"))).await.expect("a draft is made");
        let mut fresh =
            PgConnection::connect_with(&server.clone().database(&draft)).await.expect("it answers");
        migrator.run(&mut fresh).await.expect("the migrations apply");
        fresh.close().await.expect("the connection closes");
        let rename = format!("alter database {draft} rename to {name}");
        connection.execute(AssertSqlSafe(rename)).await.expect("the draft becomes the template");
    }
    connection.execute("select pg_advisory_unlock(4711)").await.expect("the lock is given back");
    name
}
