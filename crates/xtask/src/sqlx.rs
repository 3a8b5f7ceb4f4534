//! `xtask sqlx`: the sqlx metadata of every compile-time checked query, so that a clone builds with no database.
//!
//! Each crate with an sqlx.toml gets a fresh database with its migrations, is compiled against it, and the metadata that
//! the macros write while they are expanded become its .sqlx folder.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ::sqlx::migrate::Migrator;
use ::sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::process::Command;

use dev_servers::{Error, Postgres, Result};

/// The shared tables of the messaging crate are part of every service's migrations; this one stands for all.
const HOST_OF_SHARED_TABLES: &str = "order";

type Metadata = BTreeMap<String, String>;

/// Prepares the named crates, or all that have an sqlx.toml.
pub(crate) async fn run(root: &Path, names: &[String], check: bool) -> Result<()> {
    let crates = find_crates(root, names)?;
    let mut postgres = Postgres::temporary().await?;
    let result = prepare_all(root, &crates, check, &postgres).await;
    postgres.stop().await?;
    result
}

async fn prepare_all(root: &Path, crates: &[Prepared], check: bool, postgres: &Postgres) -> Result<()> {
    let mut stale = Vec::new();
    for one in crates {
        let found = one.expand(root, postgres).await?;
        if !check {
            write_metadata(&one.folder.join(".sqlx"), &found)?;
        } else if found != read_metadata(&one.folder.join(".sqlx"))? {
            stale.push(one.name.clone());
        }
        println!("{}: {} queries", one.name, found.len());
    }
    if stale.is_empty() {
        return Ok(());
    }
    Err(Error::other(format!(
        "the .sqlx folder of {} is out of date: run `make sqlx` and commit",
        stale.join(", ")
    )))
}

struct Prepared {
    name: String,
    folder: PathBuf,
    variable: String,
}

fn find_crates(root: &Path, names: &[String]) -> Result<Vec<Prepared>> {
    let entries = std::fs::read_dir(root.join("crates")).map_err(Error::io("read crates/"))?;
    let mut crates: Vec<Prepared> =
        entries.flatten().filter_map(|entry| Prepared::in_folder(entry.path())).collect();
    crates.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(unknown) = names.iter().find(|name| crates.iter().all(|known| known.name != **name)) {
        return Err(Error::other(format!("{unknown} is no crate with an sqlx.toml")));
    }
    crates.retain(|known| names.is_empty() || names.contains(&known.name));
    Ok(crates)
}

impl Prepared {
    fn in_folder(folder: PathBuf) -> Option<Self> {
        let config = std::fs::read_to_string(folder.join("sqlx.toml")).ok()?;
        let line = config.lines().find(|line| line.trim_start().starts_with("database-url-var"))?;
        let variable = line.split('"').nth(1)?.to_owned();
        let name = folder.file_name()?.to_str()?.to_owned();
        Some(Self { name, folder, variable })
    }

    fn migrations(&self, root: &Path) -> PathBuf {
        let own = self.variable.trim_end_matches("_DATABASE_URL").to_lowercase();
        let own = root.join("migrations").join(own);
        if own.is_dir() { own } else { root.join("migrations").join(HOST_OF_SHARED_TABLES) }
    }

    async fn expand(&self, root: &Path, postgres: &Postgres) -> Result<Metadata> {
        let database = self.name.replace('-', "_");
        create_database(postgres, &database).await?;
        migrate(&postgres.url(&database), &self.migrations(root)).await?;
        let metadata = tempfile::tempdir().map_err(Error::io("make a temporary folder"))?;
        self.touch()?;
        let status = Command::new("cargo")
            .args(["check", "--quiet", "-p", &self.name])
            .current_dir(root)
            .env("SQLX_OFFLINE", "false")
            .env("SQLX_OFFLINE_DIR", metadata.path())
            .env(&self.variable, postgres.url(&database))
            .status()
            .await
            .map_err(Error::io("start cargo"))?;
        if !status.success() {
            return Err(Error::other(format!("{} does not compile against its database", self.name)));
        }
        read_metadata(metadata.path())
    }

    /// The macros write only while they are expanded, so the crate has to look changed.
    fn touch(&self) -> Result<()> {
        let lib = self.folder.join("src/lib.rs");
        File::options()
            .append(true)
            .open(&lib)
            .and_then(|file| file.set_modified(SystemTime::now()))
            .map_err(Error::io(format!("touch {}", lib.display())))
    }
}

async fn create_database(postgres: &Postgres, name: &str) -> Result<()> {
    let mut connection = PgConnection::connect(&postgres.url("postgres"))
        .await
        .map_err(Error::sql("connect to PostgreSQL"))?;
    ::sqlx::query(AssertSqlSafe(format!("CREATE DATABASE \"{name}\"")))
        .execute(&mut connection)
        .await
        .map_err(Error::sql(format!("create the database {name}")))?;
    Ok(())
}

async fn migrate(url: &str, folder: &Path) -> Result<()> {
    let failed = |error| Error::other(format!("the migrations in {}: {error}", folder.display()));
    let migrator = Migrator::new(folder).await.map_err(failed)?;
    let mut connection = PgConnection::connect(url).await.map_err(Error::sql("connect to PostgreSQL"))?;
    migrator.run(&mut connection).await.map_err(failed)
}

fn read_metadata(folder: &Path) -> Result<Metadata> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(Metadata::new()) };
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("query-"))
        .map(|entry| {
            let text = std::fs::read_to_string(entry.path()).map_err(Error::io("read a query's note"))?;
            Ok((entry.file_name().to_string_lossy().into_owned(), text))
        })
        .collect()
}

fn write_metadata(folder: &Path, metadata: &Metadata) -> Result<()> {
    let committed = read_metadata(folder)?;
    let failed = || format!("write {}", folder.display());
    for name in committed.keys().filter(|name| !metadata.contains_key(*name)) {
        std::fs::remove_file(folder.join(name)).map_err(Error::io(failed()))?;
    }
    if !metadata.is_empty() {
        std::fs::create_dir_all(folder).map_err(Error::io(failed()))?;
    }
    for (name, text) in metadata.iter().filter(|(name, text)| committed.get(*name) != Some(text)) {
        std::fs::write(folder.join(name), text).map_err(Error::io(failed()))?;
    }
    Ok(())
}
