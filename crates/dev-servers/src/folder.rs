//! Where servers keep their files, and who owns them: PostgreSQL refuses to run as root.

use std::fs::{DirBuilder, Permissions, set_permissions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use tempfile::TempDir;

use super::Owner;
use super::identity::{Identity, working_folder};
use crate::{Error, Result};

const PREFIX: &str = "shop-stack-";
const OWNER_FILE: &str = "owner.pid";
/// For data of root whose clone lies where the user that runs PostgreSQL cannot go.
const ELSEWHERE: &str = "/var/lib/shop-stack";

/// A temporary folder that the owner can reach, removed when dropped. It names the process that made it, so that a
/// later run can clean up after a killed one.
pub fn temporary(owner: Option<Owner>) -> Result<TempDir> {
    let folder = [std::env::temp_dir(), "/tmp".into(), "/var/tmp".into()]
        .into_iter()
        .find(|base| base.is_dir() && owner.is_none_or(|owner| owner.reaches(base)))
        .ok_or_else(|| Error::other("no temporary folder that the user of PostgreSQL can reach"))?;
    let made = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&folder);
    let made = made.map_err(Error::io(format!("make a folder in {}", folder.display())))?;
    if let Some(owner) = owner {
        owner.let_through(made.path())?;
    }
    if let Some(me) = Identity::of(std::process::id()) {
        me.write(&made.path().join(OWNER_FILE)).map_err(Error::io("name a temporary folder"))?;
    }
    Ok(made)
}

/// Stops the servers of runs that were killed, and removes their temporary folders.
pub async fn clean_up_after_killed_runs() {
    for base in [std::env::temp_dir(), "/tmp".into(), "/var/tmp".into()] {
        let Ok(entries) = std::fs::read_dir(base) else { continue };
        let ours = entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
        for folder in ours.map(|entry| entry.path()) {
            if Identity::read(&folder.join(OWNER_FILE)).is_some_and(|owner| !owner.is_alive()) {
                stop_postgres_of(&folder.join("postgres")).await;
                drop(std::fs::remove_dir_all(&folder));
            }
        }
    }
}

/// Stops a PostgreSQL that still works in this data folder, and drops the record of one that no longer runs: its pid may belong
/// to another process by now, and PostgreSQL would then refuse to start.
pub async fn stop_postgres_of(data: &Path) {
    let pid_file = data.join("postmaster.pid");
    let Ok(text) = std::fs::read_to_string(&pid_file) else { return };
    let running = text.lines().next().and_then(|line| line.trim().parse().ok()).and_then(Identity::of);
    let works_here = |identity: &Identity| working_folder(identity.pid).is_some_and(|at| is_same(&at, data));
    if let Some(orphan) = running.filter(works_here) {
        orphan.stop(Signal::SIGINT, std::time::Duration::from_secs(10)).await;
    }
    if cfg!(target_os = "linux") {
        drop(std::fs::remove_file(pid_file));
    }
}

/// Whether two paths lead to the same place.
pub fn is_same(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Makes the folder `name` below `data` for the owner. Where the owner cannot go there, it is a link to a folder
/// outside of it.
pub fn persistent(data: &Path, name: &str, owner: Option<Owner>) -> Result<PathBuf> {
    if let Some(owner) = owner {
        owner.let_through(data)?;
    }
    let wanted = data.join(name);
    if let Ok(existing) = wanted.canonicalize() {
        return Ok(existing);
    }
    match owner {
        Some(owner) if !owner.reaches(data) => linked(&wanted, owner),
        _ => create(&wanted).map(|()| wanted),
    }
}

fn linked(wanted: &Path, owner: Owner) -> Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    wanted.hash(&mut hasher);
    let target = Path::new(ELSEWHERE).join(format!("{:016x}", hasher.finish()));
    create(&target)?;
    owner.let_through(Path::new(ELSEWHERE))?;
    drop(std::fs::remove_file(wanted));
    std::os::unix::fs::symlink(&target, wanted).map_err(Error::io(format!("link {}", wanted.display())))?;
    Ok(target)
}

/// Makes a folder and those above it, and closes it to everybody else: what is in it are people's names, addresses and
/// passwords' hashes.
pub fn create(folder: &Path) -> Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.and_then(|()| set_permissions(folder, Permissions::from_mode(0o700)))
        .map_err(Error::io(format!("make the folder {}", folder.display())))
}

/// Removes the folder `name` below `data`, wherever it is.
pub fn remove(data: &Path, name: &str) -> Result<()> {
    let wanted = data.join(name);
    if let Ok(real) = wanted.canonicalize() {
        std::fs::remove_dir_all(&real).map_err(Error::io(format!("remove {}", real.display())))?;
    }
    if wanted.is_symlink() {
        std::fs::remove_file(&wanted).map_err(Error::io(format!("remove {}", wanted.display())))?;
    }
    Ok(())
}
