//! Where the programs are that this machine has to bring: PostgreSQL, Redis, nginx.

use std::path::{Path, PathBuf};

use crate::{Error, Result};

const INSTALL_POSTGRES: &str = "apt-get install postgresql (Debian, Ubuntu), dnf install postgresql-server (Fedora), brew install postgresql";
const INSTALL_REDIS: &str =
    "apt-get install redis-server (Debian, Ubuntu), dnf install redis (Fedora), brew install redis";
const INSTALL_NGINX: &str =
    "apt-get install nginx (Debian, Ubuntu), dnf install nginx (Fedora), brew install nginx";

/// A program of PostgreSQL. Debian keeps them out of PATH, one folder per version: the newest wins.
pub fn postgres(tool: &str) -> Result<PathBuf> {
    let packaged = debian_folders().into_iter().map(|folder| folder.join(tool)).find(|path| path.is_file());
    packaged
        .or_else(|| on_path(tool))
        .or_else(|| by_pg_config(tool))
        .ok_or_else(|| missing(tool, INSTALL_POSTGRES))
}

/// The Redis server, from PATH.
pub fn redis() -> Result<PathBuf> {
    on_path("redis-server").ok_or_else(|| missing("redis-server", INSTALL_REDIS))
}

/// The web server. /usr/sbin is in no user's PATH on Debian.
pub fn nginx() -> Result<PathBuf> {
    let system = ["/usr/sbin/nginx", "/usr/local/sbin/nginx"]
        .map(PathBuf::from)
        .into_iter()
        .find(|path| path.is_file());
    on_path("nginx").or(system).ok_or_else(|| missing("nginx", INSTALL_NGINX))
}

fn missing(tool: &str, install: &'static str) -> Error {
    Error::MissingTool { tool: tool.to_owned(), install }
}

fn debian_folders() -> Vec<PathBuf> {
    let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") else { return Vec::new() };
    let mut folders: Vec<(u32, PathBuf)> = versions
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    folders.sort_by(|a, b| b.cmp(a));
    folders.into_iter().map(|(_, folder)| folder).collect()
}

fn by_pg_config(tool: &str) -> Option<PathBuf> {
    let output = std::process::Command::new("pg_config").arg("--bindir").output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    Some(Path::new(folder.trim()).join(tool)).filter(|path| path.is_file())
}

fn on_path(tool: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(tool)).find(|path| path.is_file())
}
