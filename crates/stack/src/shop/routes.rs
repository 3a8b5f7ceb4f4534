//! Which way the processes of a shop reach one another.

use std::collections::BTreeMap;
use std::fmt::{Display, Formatter};

use super::Service;

/// One end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// nginx.
    Gateway,
    /// Redis.
    Redis,
    /// The server with the five databases.
    Postgres,
    /// A program of the shop.
    Service(Service),
}

impl Display for End {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Gateway => "the gateway",
            Self::Redis => "Redis",
            Self::Postgres => "PostgreSQL",
            Self::Service(service) => service.name(),
        })
    }
}

/// Detours: ports at which a process finds another one, instead of those where that listens.
#[derive(Debug, Clone, Default)]
pub struct Routes(BTreeMap<(End, End), u16>);

impl Routes {
    /// Has `from` reach `to` at this port.
    pub fn insert(&mut self, from: End, to: End, port: u16) {
        self.0.insert((from, to), port);
    }

    /// The detour between two of them, if there is one.
    pub(super) fn port(&self, from: End, to: End) -> Option<u16> {
        self.0.get(&(from, to)).copied()
    }
}
