//! Who runs PostgreSQL: it refuses to be root, so root hands it to another user.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use nix::unistd::{Gid, Uid, User, chown};

use crate::{Error, Result};

/// The user that a server runs as, when it is not the one who runs this.
#[derive(Debug, Clone, Copy)]
pub struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Owner {
    /// For root: `postgres`, or `nobody` where that does not exist. For everybody else: no change.
    pub fn for_postgres() -> Result<Option<Self>> {
        if !Uid::effective().is_root() {
            return Ok(None);
        }
        let find = |name| User::from_name(name).ok().flatten();
        let user = find("postgres").or_else(|| find("nobody"));
        let user = user
            .ok_or_else(|| Error::other("PostgreSQL refuses to run as root, and there is no other user"))?;
        Ok(Some(Self { uid: user.uid.as_raw(), gid: user.gid.as_raw() }))
    }

    /// Gives a file or folder to this user alone.
    pub fn own(self, path: &Path) -> Result<()> {
        let failed = || format!("give {} to the user that runs PostgreSQL", path.display());
        let to_io = |errno: nix::Error| std::io::Error::from(errno);
        chown(path, Some(Uid::from_raw(self.uid)), Some(Gid::from_raw(self.gid)))
            .map_err(to_io)
            .and_then(|()| {
                let mode = if path.is_dir() { 0o700 } else { 0o600 };
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
            })
            .map_err(Error::io(failed()))
    }

    /// Lets this user pass through a folder to what is theirs below it, though not read it.
    pub fn let_through(self, folder: &Path) -> Result<()> {
        chown(folder, None, Some(Gid::from_raw(self.gid)))
            .map_err(std::io::Error::from)
            .and_then(|()| std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o710)))
            .map_err(Error::io(format!("open {} to the user that runs PostgreSQL", folder.display())))
    }

    /// Whether this user can get into a folder: the way to it may be closed, as it is below /root. Asked by trying,
    /// which also knows about access lists.
    pub fn reaches(self, folder: &Path) -> bool {
        use std::os::unix::process::CommandExt;
        std::process::Command::new("/bin/sh")
            .args(["-c", "cd \"$1\"", "sh"])
            .arg(folder)
            .current_dir("/")
            .uid(self.uid)
            .gid(self.gid)
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}
