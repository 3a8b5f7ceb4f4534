//! Ports of this machine.

use std::net::{Ipv4Addr, TcpListener};

use crate::{Error, Result};

/// Below the range that the system hands to outgoing connections, so that none of those takes a port between here
/// and the server that is started on it.
const RANGE: std::ops::Range<u16> = 12_000..32_000;

/// A port of 127.0.0.1 that nobody listens on.
pub fn free() -> Result<u16> {
    (0..200)
        .map(|_| rand::random_range(RANGE))
        .find(|port| is_free(*port))
        .ok_or_else(|| Error::other("no free port between 12000 and 32000 on 127.0.0.1"))
}

/// Whether a server could listen on the port, on 127.0.0.1 and on all addresses.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
        && TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok()
}
