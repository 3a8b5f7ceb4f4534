//! Ports of this machine.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Mutex, PoisonError};

use nix::fcntl::{Flock, FlockArg};
use nix::unistd::Uid;

use super::folder;
use crate::{Error, Result};

/// Below the range that the system hands to outgoing connections, so that none of those takes a port between here
/// and the server that is started on it.
const RANGE: std::ops::Range<u16> = 12_000..32_000;

/// The ports that this process took, each a locked file: until its server listens, nothing else keeps another test from
/// the same choice. The system lets go of them at the end of the process.
static OURS: Mutex<Vec<Flock<File>>> = Mutex::new(Vec::new());

/// A port of 127.0.0.1 that nobody listens on, and that is nobody else's for as long as this process lives.
pub fn free() -> Result<u16> {
    let locks = std::env::temp_dir().join(format!("shop-ports-{}", Uid::effective()));
    folder::create(&locks)?;
    for _ in 0..200 {
        let port = rand::random_range(RANGE);
        let path = locks.join(port.to_string());
        let file = File::create(&path).map_err(Error::io(format!("write {}", path.display())))?;
        let Ok(lock) = Flock::lock(file, FlockArg::LockExclusiveNonblock) else { continue };
        if is_free(port) {
            OURS.lock().unwrap_or_else(PoisonError::into_inner).push(lock);
            return Ok(port);
        }
    }
    Err(Error::other("no free port between 12000 and 32000 on 127.0.0.1"))
}

/// Whether a server could listen on the port, on 127.0.0.1 and on all addresses.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
        && TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_given_out_once() {
        let mut ports: Vec<u16> = (0..500).map(|_| free().unwrap()).collect();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 500);
    }
}
