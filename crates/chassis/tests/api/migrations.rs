//! Migrations of programs of different ages, by several replicas at once.

use std::collections::BTreeSet;

use chassis::database::migrate;
use sqlx::{
    Connection, Executor, PgConnection, PgPool, SqlSafeStr,
    migrate::{Migrate, Migration, MigrationType, Migrator},
};
use testkit::{TestDatabase, eventually};

/// A database, and a pool whose statements end after 300 ms unless told otherwise.
async fn database() -> (TestDatabase, PgPool) {
    let database = TestDatabase::create("chassis", &Migrator::with_migrations(Vec::new())).await;
    let hasty = database.options.clone().options([("statement_timeout", "300ms")]);
    (database, PgPool::connect_lazy_with(hasty))
}

fn program(migrations: &[(i64, &'static str)]) -> Migrator {
    let migration = |(version, sql): &(i64, &'static str)| {
        let sql = (*sql).into_sql_str();
        Migration::new(*version, format!("number {version}").into(), MigrationType::Simple, sql, false)
    };
    Migrator::with_migrations(migrations.iter().map(migration).collect())
}

async fn applied(pool: &PgPool) -> Vec<i64> {
    let versions = sqlx::query_scalar("select version from _sqlx_migrations order by version");
    versions.fetch_all(pool).await.unwrap()
}

const ONE: (i64, &str) = (1, "create table one ()");
const TWO: (i64, &str) = (2, "create table two ()");
const THREE: (i64, &str) = (3, "create table three ()");

#[tokio::test]
async fn a_program_of_yesterday_starts_on_the_database_of_tomorrow_and_the_other_way_round() {
    let (database, pool) = database().await;
    migrate(&pool, &program(&[ONE])).await.unwrap();
    migrate(&pool, &program(&[ONE, TWO, THREE])).await.unwrap();
    migrate(&pool, &program(&[ONE])).await.expect("yesterday's program starts");
    migrate(&pool, &program(&[ONE, TWO, THREE])).await.expect("and tomorrow's once more");
    assert_eq!(applied(&database.pool).await, [1, 2, 3]);
}

#[tokio::test]
async fn another_history_is_refused() {
    let (database, pool) = database().await;
    migrate(&pool, &program(&[ONE, TWO, THREE])).await.unwrap();
    let gap = migrate(&pool, &program(&[ONE, THREE])).await.unwrap_err();
    assert!(gap.to_string().contains("migration 2 was previously applied but is missing"), "{gap}");
    let edited = migrate(&pool, &program(&[(1, "create table uno ()"), TWO])).await.unwrap_err();
    assert!(
        edited.to_string().contains("migration 1 was previously applied but has been modified"),
        "{edited}"
    );
    let wrong = migrate(&pool, &program(&[ONE, TWO, THREE, (4, "alter table none add a int")])).await;
    assert!(
        wrong.unwrap_err().to_string().contains("while executing migration 4"),
        "no waiting for what never comes"
    );
    assert_eq!(applied(&database.pool).await, [1, 2, 3]);
}

#[tokio::test]
async fn a_migration_takes_as_long_as_it_takes_and_its_session_outlives_no_process() {
    let (database, pool) = database().await;
    let slow = "do $$ begin perform pg_sleep(1); end $$;
                create table bounds as select name, setting from pg_settings where name like '%timeout'";
    migrate(&pool, &program(&[(1, slow)])).await.unwrap();
    let bounds = sqlx::query_as("select name, setting from bounds where setting <> '0' order by name");
    let bounds: Vec<(String, String)> = bounds.fetch_all(&database.pool).await.unwrap();
    let milliseconds = |name: &str| bounds.iter().find(|(known, _)| known == name).map(|(_, ms)| ms.as_str());
    assert_eq!(milliseconds("statement_timeout"), None);
    assert_eq!(milliseconds("idle_session_timeout"), Some("5000"), "sqlx's lock");
    assert_eq!(milliseconds("idle_in_transaction_session_timeout"), Some("5000"), "locks on tables");
    assert_eq!(milliseconds("lock_timeout"), Some("3000"), "nobody stands behind it in a queue");
}

/// Waits until two sessions in turn have stood in line for a lock of this kind: no single one waits for long.
async fn two_tries(pool: &PgPool, kind: &str) {
    let mut waiting = BTreeSet::new();
    eventually("two tries", async || {
        let pids =
            sqlx::query_scalar("select pid from pg_locks where locktype = $1 and not granted").bind(kind);
        let pids: Vec<i32> = pids.fetch_all(pool).await.unwrap();
        waiting.extend(pids);
        (waiting.len() >= 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_replica_waits_for_the_migrations_of_another() {
    let (database, pool) = database().await;
    let mut other = PgConnection::connect_with(&database.options).await.unwrap();
    other.lock().await.unwrap();
    let program = program(&[ONE]);
    let unlock = async {
        two_tries(&database.pool, "advisory").await;
        other.unlock().await.unwrap();
    };
    let (migrated, ()) = tokio::join!(migrate(&pool, &program), unlock);
    migrated.unwrap();
    assert_eq!(applied(&database.pool).await, [1]);
}

#[tokio::test]
async fn a_migration_waits_for_a_table_that_is_in_use() {
    let (database, pool) = database().await;
    migrate(&pool, &program(&[ONE])).await.unwrap();
    let mut user = database.pool.begin().await.unwrap();
    user.execute("lock table one in access share mode").await.unwrap();
    let next = program(&[ONE, (2, "alter table one add column name text")]);
    let unlock = async {
        two_tries(&database.pool, "relation").await;
        user.rollback().await.unwrap();
    };
    let (migrated, ()) = tokio::join!(migrate(&pool, &next), unlock);
    migrated.unwrap();
    assert_eq!(applied(&database.pool).await, [1, 2]);
}
