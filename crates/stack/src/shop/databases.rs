//! The databases in one `PostgreSQL`, and the role that owns them.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::{Service, ShopOptions};
use crate::settings::Settings;
use crate::{Error, Result};
use dev_servers::Postgres;

/// The server with the databases, as its superuser knows it.
#[derive(Debug)]
pub(super) struct Server {
    /// Its address without the name of a database.
    base: String,
    port: u16,
}

impl Server {
    /// The private one, or the one that the options name.
    pub(super) fn new(options: &ShopOptions, private: Option<&Postgres>) -> Result<Self> {
        let address = match (private, &options.postgres) {
            (Some(private), _) => private.url("postgres"),
            (None, Some(address)) => address.clone(),
            (None, None) => return Err(Error::other("there is no PostgreSQL to use")),
        };
        let parsed = reqwest::Url::parse(&address).ok().and_then(|url| url.port());
        let port = parsed.ok_or_else(|| Error::other("the address of PostgreSQL has no port"))?;
        let (base, _) = address.rsplit_once('/').unwrap_or((&address, ""));
        Ok(Self { base: base.to_owned(), port })
    }

    pub(super) fn url(&self, database: &str) -> String {
        format!("{}/{database}", self.base)
    }

    /// Makes the role and the databases that are not there yet, and gives the role the password of today.
    pub(super) async fn prepare(&self, options: &mut ShopOptions) -> Result<()> {
        options.ports.postgres = self.port;
        let mut connection = PgConnection::connect(&self.url("postgres"))
            .await
            .map_err(Error::sql("connect to PostgreSQL"))?;
        let role = options.settings.get("DB_USER").to_owned();
        make_role(&mut connection, &role, &options.settings).await?;
        for variable in Service::SERVICES.into_iter().filter_map(Service::database) {
            make_database(&mut connection, options.settings.get(variable), &role).await?;
        }
        connection.close().await.map_err(Error::sql("close a connection"))
    }
}

/// Several shops of a test run may make the same role at once, so that it exists already is no failure.
async fn make_role(connection: &mut PgConnection, role: &str, settings: &Settings) -> Result<()> {
    let password = settings.get("DB_PASSWORD").replace('\'', "''");
    let known: Option<i32> = sqlx::query_scalar("SELECT 1 FROM pg_roles WHERE rolname = $1")
        .bind(role)
        .fetch_optional(&mut *connection)
        .await
        .map_err(Error::sql("look for the role"))?;
    if known.is_none() {
        let create = format!("CREATE ROLE {} LOGIN", quoted(role));
        let created = connection.execute(AssertSqlSafe(create)).await;
        created.map(drop).or_else(ignore_existing).map_err(Error::sql(format!("make the role {role}")))?;
    }
    // A statement that fails is logged as a whole; this one has the password in it.
    let quiet = connection.execute("SET log_min_error_statement = panic").await;
    quiet.map_err(Error::sql("keep a password out of the log"))?;
    let password = format!("ALTER ROLE {} PASSWORD '{password}'", quoted(role));
    let altered = connection.execute(AssertSqlSafe(password)).await;
    altered.map(drop).or_else(ignore_existing).map_err(Error::sql("set the password of the role"))
}

async fn make_database(connection: &mut PgConnection, name: &str, role: &str) -> Result<()> {
    let known: Option<i32> = sqlx::query_scalar("SELECT 1 FROM pg_database WHERE datname = $1")
        .bind(name)
        .fetch_optional(&mut *connection)
        .await
        .map_err(Error::sql("look for a database"))?;
    if known.is_none() {
        let create = format!("CREATE DATABASE {} OWNER {}", quoted(name), quoted(role));
        let created = connection.execute(AssertSqlSafe(create)).await;
        created.map_err(Error::sql(format!("make the database {name}")))?;
    }
    Ok(())
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `duplicate_object`, `unique_violation` and "tuple concurrently updated": somebody else did the same just now.
fn ignore_existing(error: sqlx::Error) -> Result<(), sqlx::Error> {
    let code = error.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned));
    match code.as_deref() {
        Some("42710" | "23505" | "XX000") => Ok(()),
        _ => Err(error),
    }
}
