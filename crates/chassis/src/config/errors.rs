//! What is wrong with a configuration, all of it at once.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use super::{AppEnv, secrets};

/// What is wrong with a configuration, all of it.
#[derive(Debug, Default)]
pub struct ConfigErrors {
    found: Vec<String>,
    /// The secrets of production, by the variables that hold them: no two may be the same.
    secrets: Vec<(String, SecretString)>,
}

impl ConfigErrors {
    /// Adds a fault, in words that say which variable to change and how.
    pub fn add(&mut self, fault: impl Into<String>) {
        self.found.push(fault.into());
    }

    /// Whether nothing is wrong so far.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Adds a fault unless the condition holds.
    pub fn require(&mut self, holds: bool, fault: impl Into<String>) {
        if !holds {
            self.add(fault);
        }
    }

    /// Checks where a peer answers gRPC.
    pub fn check_grpc_url(&mut self, name: &str, url: &str) {
        let uri = url.parse::<axum::http::Uri>();
        self.require(
            uri.is_ok_and(|uri| uri.host().is_some() && uri.port_u16().is_some()),
            format!("{name} is not a base URL with a port, such as `http://localhost:9082`"),
        );
    }

    /// Checks a secret that a program made: never empty; in production not weak, and not that of another variable.
    pub fn check_secret(&mut self, env: AppEnv, name: &str, secret: &SecretString) {
        if secret.expose_secret().is_empty() {
            self.add(format!("{name} is empty: set it to a long random text"));
        } else if env == AppEnv::Production {
            if let Some(weakness) = secrets::weakness(secret.expose_secret()) {
                self.add(format!("{name} {weakness}: generate one with `openssl rand -hex 32`"));
            }
            self.require_distinct(name, secret);
        }
    }

    /// Refuses a secret that another variable has as well: whoever learns one would have both.
    pub fn require_distinct(&mut self, name: &str, secret: &SecretString) {
        let same = self.secrets.iter().find(|(_, other)| other.expose_secret() == secret.expose_secret());
        match same.map(|(other, _)| other.clone()) {
            Some(other) => self.add(format!("{name} is the same as {other}: each needs a secret of its own")),
            None => self.secrets.push((name.to_owned(), secret.clone())),
        }
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration has {} fault(s):", self.found.len())?;
        self.found.iter().try_for_each(|fault| write!(f, "\n  - {fault}"))
    }
}

impl std::error::Error for ConfigErrors {}
