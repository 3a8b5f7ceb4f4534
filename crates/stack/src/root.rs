//! Where the project and its programs are.

use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// The project's root: the nearest folder at or above the working folder, or above this program, with the workspace
/// in it.
pub fn find() -> Result<PathBuf> {
    let here = std::env::current_dir().map_err(Error::io("read the working folder"))?;
    let program = std::env::current_exe().map_err(Error::io("find this program"))?;
    let above = |path: &Path| path.ancestors().find(|folder| is_root(folder)).map(Path::to_owned);
    above(&here).or_else(|| above(&program)).ok_or_else(|| {
        Error::other("not inside the project: no folder above this one has crates/ and migrations/")
    })
}

fn is_root(folder: &Path) -> bool {
    folder.join("Cargo.toml").is_file()
        && folder.join("crates").is_dir()
        && folder.join("migrations").is_dir()
}

/// The folder with the services' programs: next to this one, or one up when this is a test in deps/.
pub fn programs() -> Result<PathBuf> {
    let program = std::env::current_exe().map_err(Error::io("find this program"))?;
    let folder = program.parent().unwrap_or(Path::new("."));
    let folder = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
    Ok(folder.to_owned())
}
