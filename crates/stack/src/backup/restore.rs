//! Brings databases back to what a backup has of them.

use std::path::{Path, PathBuf};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::{Manifest, run, tool};
use crate::hosts::Hosts;
use crate::ledger::sources::{EVENTS, connect};
use crate::settings::Settings;
use crate::shop::{Service, ShopOptions, Stores};
use crate::up::Lock;
use crate::{Error, Result};

/// What to bring back.
#[derive(Debug, Clone)]
pub struct Restoration {
    /// The folder of the backup.
    pub from: PathBuf,
    /// The services whose databases are brought back; none are all that the backup has.
    pub services: Vec<Service>,
    /// Whether what the databases have now may go.
    pub replace: bool,
}

/// Restores databases, each in one transaction, and empties the events in Redis. The services must not run. On this machine
/// the stores are started for it.
///
/// # Errors
/// If the backup is not complete, a database has something in it or is in use, or PostgreSQL refuses something.
pub async fn restore(settings: &Settings, data: &Path, restoration: &Restoration) -> Result<()> {
    let files = Manifest::of(&restoration.from)?.files(&restoration.from, &restoration.services)?;
    let hosts = Hosts::of_settings(settings)?;
    let own = match hosts {
        Hosts::Local(_) => Some(own_stores(settings, data).await?),
        Hosts::Compose | Hosts::Given { .. } => None,
    };
    let restored = restore_all(&hosts, settings, &files, restoration.replace).await;
    if let Some((stores, _lock)) = own {
        stores.stop().await?;
    }
    restored?;
    println!("Restored. Start the services, let them settle, and ask `stack doctor`.");
    Ok(())
}

async fn own_stores(settings: &Settings, data: &Path) -> Result<(Stores, Lock)> {
    let lock = Lock::take(data)?;
    let options = ShopOptions::for_person(data.to_owned(), settings.clone())?;
    Ok((Stores::start(options).await?, lock))
}

async fn restore_all(
    hosts: &Hosts,
    settings: &Settings,
    files: &[(Service, PathBuf)],
    replace: bool,
) -> Result<()> {
    let mut databases = Vec::new();
    for (service, file) in files {
        let url = hosts.database(*service, settings)?;
        let url = url.ok_or_else(|| Error::other(format!("there is no database for {}", service.name())))?;
        check(*service, &url, replace).await?;
        databases.push((*service, url, file));
    }
    for (service, url, file) in databases {
        empty(&url).await.map_err(Error::sql(format!("empty the database of {}", service.name())))?;
        let mut command = tool("pg_restore", &url)?;
        command.args(["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]).arg(file);
        run(command, &format!("restore the database of {}", service.name())).await?;
        println!("  {} is restored", service.name());
    }
    let mut redis = connect(hosts.redis(EVENTS, settings)?).await?;
    redis::cmd("FLUSHDB").query_async(&mut redis).await.map_err(Error::redis("empty the events"))
}

/// An error if the database is in use, or has something in it that must not go.
async fn check(service: Service, url: &str, replace: bool) -> Result<()> {
    let name = service.name();
    let counted = count(url).await;
    let (others, tables) = counted.map_err(Error::sql(format!("look into the database of {name}")))?;
    if others > 0 {
        return Err(Error::other(format!(
            "the database of {name} is in use ({others} sessions): stop the shop"
        )));
    }
    if tables > 0 && !replace {
        return Err(Error::other(format!(
            "the database of {name} is not empty: --replace removes what it has"
        )));
    }
    Ok(())
}

/// Sessions beside this one, and tables.
async fn count(url: &str) -> sqlx::Result<(i64, i64)> {
    let mut database = PgConnection::connect(url).await?;
    let query = "SELECT (SELECT count(*) FROM pg_stat_activity
                         WHERE datname = current_database() AND pid <> pg_backend_pid()
                           AND backend_type = 'client backend'),
                        (SELECT count(*) FROM pg_stat_user_tables)";
    let counts = sqlx::query_as(query).fetch_one(&mut database).await?;
    database.close().await?;
    Ok(counts)
}

/// Removes everything, also what a later version of a service has added.
async fn empty(url: &str) -> sqlx::Result<()> {
    let mut database = PgConnection::connect(url).await?;
    let query = "SELECT quote_ident(nspname) FROM pg_namespace
                 WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%'";
    let schemas: Vec<String> = sqlx::query_scalar(query).fetch_all(&mut database).await?;
    for schema in schemas {
        database.execute(AssertSqlSafe(format!("DROP SCHEMA {schema} CASCADE"))).await?;
    }
    database.execute("CREATE SCHEMA public").await?;
    database.close().await
}
