//! `stack backup` and `stack restore`: the databases of a shop as files of `pg_dump`, with a manifest that is written last.
//!
//! The databases are dumped side by side, while the shop runs, so each is of a moment of its own: what one of them says
//! and another does not know yet is what the outboxes, reconciliation and the doctor are for. Redis has no backup. A restore
//! empties its events, so that every relay finds its mark gone and sends again what its outbox has; inboxes skip what they
//! have handled. Carts stay as they are.

mod restore;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::process::Command;

pub use self::restore::{Restoration, restore};
use crate::hosts::Hosts;
use crate::settings::Settings;
use crate::shop::Service;
use crate::{Error, Result};
use dev_servers::{folder, tools};

const MANIFEST: &str = "manifest.json";
const VERSION: u32 = 1;

/// What a backup has.
#[derive(Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// Of this format.
    version: u32,
    databases: Vec<Dump>,
}

/// The dump of one database.
#[derive(Debug, Serialize, Deserialize)]
struct Dump {
    /// The service, such as `order-service`.
    service: String,
    /// A file beside the manifest, in the custom format of `pg_dump`.
    file: String,
    /// When it was begun: the dump is of this moment or a little later.
    #[serde(with = "time::serde::rfc3339")]
    taken_at: OffsetDateTime,
    sha256: String,
}

/// Dumps every database of a running shop into a new folder, and says so.
///
/// # Errors
/// If the folder has something in it, or a database cannot be dumped: then there is no manifest.
pub async fn backup(settings: &Settings, to: &Path) -> Result<()> {
    if to.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::other(format!(
            "{} is not empty: a backup needs a folder of its own",
            to.display()
        )));
    }
    folder::create(to)?;
    let hosts = Hosts::of_settings(settings)?;
    let mut urls = Vec::new();
    for service in Service::SERVICES {
        urls.extend(hosts.database(service, settings)?.map(|url| (service, url)));
    }
    let dumps = urls.iter().map(async |(service, url)| dump(*service, url, to).await);
    let databases = futures::future::try_join_all(dumps).await?;
    for dump in &databases {
        let at = dump.taken_at.format(&Rfc3339).unwrap_or_default();
        println!("  {:<22} {at}  {}", dump.service, dump.file);
    }
    let text = serde_json::to_string_pretty(&Manifest { version: VERSION, databases });
    let text = text.map_err(|error| Error::other(format!("write the manifest: {error}")))?;
    let manifest = to.join(MANIFEST);
    std::fs::write(&manifest, text).map_err(Error::io(format!("write {}", manifest.display())))?;
    println!("Backup: {}", manifest.display());
    Ok(())
}

async fn dump(service: Service, url: &str, to: &Path) -> Result<Dump> {
    let (taken_at, file) = (OffsetDateTime::now_utc(), format!("{}.dump", service.name()));
    let path = to.join(&file);
    let mut command = tool("pg_dump", url)?;
    command.args(["--format=custom", "--no-owner", "--no-privileges", "--file"]).arg(&path);
    run(command, &format!("dump the database of {}", service.name())).await?;
    Ok(Dump { service: service.name().to_owned(), file, taken_at, sha256: sha256(&path)? })
}

/// One of PostgreSQL's programs on this database. The password goes where other users of this machine cannot read it.
fn tool(name: &str, url: &str) -> Result<Command> {
    let invalid = |_| Error::other("the address of a database is none");
    let mut url: reqwest::Url = url.parse().map_err(invalid)?;
    let mut command = Command::new(tools::postgres(name)?);
    if let Some(password) = url.password() {
        let password = percent_decoded(password);
        command.env("PGPASSWORD", password);
    }
    url.set_password(None).map_err(|()| Error::other("the address of a database is none"))?;
    command.arg("--dbname").arg(url.as_str()).stdin(Stdio::null()).kill_on_drop(true);
    Ok(command)
}

fn percent_decoded(text: &str) -> String {
    // A query is the only part of a URL that reqwest decodes.
    let plus = text.replace('+', "%2B");
    let url = reqwest::Url::parse(&format!("x:?p={plus}")).ok();
    let decoded = url.and_then(|url| url.query_pairs().next().map(|(_, value)| value.into_owned()));
    decoded.unwrap_or_default()
}

async fn run(mut command: Command, what: &str) -> Result<()> {
    let output = command.output().await.map_err(Error::io(what))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::other(format!("could not {what}: {}", String::from_utf8_lossy(&output.stderr).trim())))
}

fn sha256(path: &Path) -> Result<String> {
    let hash = || {
        let (mut file, mut hash) = (std::fs::File::open(path)?, Sha256::new());
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(hash.finalize()),
                read => hash.update(&buffer[..read]),
            }
        }
    };
    let hash = hash().map_err(Error::io(format!("read {}", path.display())))?;
    Ok(hex::encode(hash))
}

impl Manifest {
    /// Reads the manifest of a backup.
    ///
    /// # Errors
    /// If there is none: then the backup was not completed.
    fn of(folder: &Path) -> Result<Self> {
        let path = folder.join(MANIFEST);
        let text = std::fs::read_to_string(&path).map_err(Error::io(format!("read {}", path.display())))?;
        let manifest: Self = serde_json::from_str(&text)
            .map_err(|error| Error::other(format!("{} is no manifest: {error}", path.display())))?;
        if manifest.version != VERSION {
            return Err(Error::other(format!("this program reads backups of version {VERSION} only")));
        }
        Ok(manifest)
    }

    /// The files of the services, all of them if none is named, checked against the manifest.
    fn files(&self, folder: &Path, services: &[Service]) -> Result<Vec<(Service, PathBuf)>> {
        let mut files = Vec::new();
        for service in Service::SERVICES {
            let dump = self.databases.iter().find(|dump| dump.service == service.name());
            let Some(dump) = dump.filter(|_| services.is_empty() || services.contains(&service)) else {
                if services.contains(&service) {
                    return Err(Error::other(format!("this backup has no {}", service.name())));
                }
                continue;
            };
            let file = folder.join(&dump.file);
            if sha256(&file)? != dump.sha256 {
                return Err(Error::other(format!("{} is not what was written", file.display())));
            }
            files.push((service, file));
        }
        Ok(files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_handed_over_as_it_is() {
        assert_eq!(percent_decoded("a%2Fb%40c+d%25"), "a/b@c+d%");
    }
}
