//! Ports of this machine: which are free, and which are taken.

use std::fs::File;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
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
    for _ in 0..200 {
        let port = rand::random_range(RANGE);
        if take(&[port])?.is_empty() {
            return Ok(port);
        }
    }
    Err(Error::other("no free port between 12000 and 32000 on 127.0.0.1"))
}

/// Takes these ports for as long as this process lives, or none of them: then the answer is those that are taken.
///
/// One process at a time: two that take the same ports each hold some that the other one needs, and neither gets any.
pub fn take(ports: &[u16]) -> Result<Vec<u16>> {
    let _turn = Flock::lock(lock_file("turn")?, FlockArg::LockExclusive)
        .map_err(|(_, error)| Error::io("lock the choice of ports")(error.into()))?;
    let (mut locks, mut taken) = (Vec::new(), Vec::new());
    for port in ports {
        match lock(*port)? {
            Some(lock) if is_free(*port) => locks.push(lock),
            _ => taken.push(*port),
        }
    }
    if taken.is_empty() {
        OURS.lock().unwrap_or_else(PoisonError::into_inner).extend(locks);
    }
    Ok(taken)
}

/// The lock of a port, unless another process has it.
fn lock(port: u16) -> Result<Option<Flock<File>>> {
    Ok(Flock::lock(lock_file(&port.to_string())?, FlockArg::LockExclusiveNonblock).ok())
}

fn lock_file(name: &str) -> Result<File> {
    let locks = std::env::temp_dir().join(format!("shop-ports-{}", Uid::effective()));
    folder::create(&locks)?;
    let path = locks.join(name);
    File::create(&path).map_err(Error::io(format!("write {}", path.display())))
}

/// Whether a server could listen on the port, on the addresses of this machine alone and on all of them.
fn is_free(port: u16) -> bool {
    let is_taken = |error: std::io::Error| error.kind() == ErrorKind::AddrInUse;
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
        && TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok()
        // Where there is no IPv6, it cannot be taken there.
        && !TcpListener::bind((Ipv6Addr::LOCALHOST, port)).is_err_and(is_taken)
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

    #[test]
    fn of_many_that_want_the_same_ports_at_once_one_gets_them() {
        let listeners: Vec<_> = (0..20).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let wanted: Vec<u16> = listeners.iter().map(|one| one.local_addr().unwrap().port()).collect();
        drop(listeners);
        let take_them = || take(&wanted).unwrap().is_empty();
        let winners = std::thread::scope(|scope| {
            let takers: Vec<_> = (0..8).map(|_| scope.spawn(take_them)).collect();
            takers.into_iter().map(|taker| taker.join().unwrap()).filter(|won| *won).count()
        });
        assert_eq!(winners, 1);
    }
}
