//! How often a password may be guessed, and how much one party may have hashed.

use std::time::Duration;

use chassis::http::ClientAddr;
use contracts::UserId;
use sha2::{Digest, Sha256};

use super::Device;

/// How long failures count, from the first on.
const FAILURES: Duration = Duration::from_mins(5);
/// Failures per e-mail address, account or known device.
const PER_PERSON: u32 = 10;
/// Failures per network: many people may share one.
const PER_NETWORK: u32 = 100;
/// How long requests count, from the first on.
const RATE: Duration = Duration::from_mins(10);

/// Something that is counted, and how much of it there may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// The key of its count. What it is made of cannot be read from it.
    pub key: String,
    /// How many there may be in a window.
    pub most: u32,
    /// How long the count lasts, from the first on.
    pub window: Duration,
}

/// How much one party may ask for in ten minutes; 0 is no limit. Wrong passwords are limited in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    /// Registrations from one network, whether or not the names are free.
    pub registrations_per_network: u32,
    /// Logins that succeed, from one network.
    pub logins_per_network: u32,
    /// Logins that succeed, with one e-mail address.
    pub logins_per_account: u32,
    /// Changes of the password or the e-mail address of one account, whether they succeed or not.
    pub password_checks_per_account: u32,
    /// E-mails of one kind, with one address or to one account.
    pub mails_per_account: u32,
    /// E-mails to reset passwords, from one network.
    pub mails_per_network: u32,
    /// Whether private addresses are counted. In production they belong to a proxy that nobody named, and to count them
    /// would shut out everybody who comes through it.
    pub private_addresses: bool,
}

/// What one login is counted as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginLimits {
    /// What it is counted as if it fails.
    pub failure: Vec<Limit>,
    /// What it is counted as if it succeeds.
    pub success: Vec<Limit>,
}

impl RateLimits {
    /// Without any but the one on wrong passwords.
    #[must_use]
    pub fn off(self) -> Self {
        Self {
            registrations_per_network: 0,
            logins_per_network: 0,
            logins_per_account: 0,
            password_checks_per_account: 0,
            mails_per_account: 0,
            mails_per_network: 0,
            ..self
        }
    }

    /// What a registration is counted as.
    pub fn of_registration(&self, client: ClientAddr) -> Vec<Limit> {
        self.per_network("registrations", client, self.registrations_per_network, RATE).into_iter().collect()
    }

    /// What a login with this e-mail address is counted as, whether anyone has it or not. On a known device of the
    /// account it has nothing to do with what strangers try, neither with that address nor in that network.
    pub fn of_login(&self, email: &str, client: ClientAddr, device: Option<&Device>) -> LoginLimits {
        let digest = digest(email);
        let account = limit("successes:email", &digest, self.logins_per_account, RATE);
        let (failure, success) = if let Some(device) = device {
            ([limit("failures:device", device.id(), PER_PERSON, FAILURES), None], [account, None])
        } else {
            let address = self.per_network("failures:address", client, PER_NETWORK, FAILURES);
            let logins = self.per_network("successes:address", client, self.logins_per_network, RATE);
            ([limit("failures:email", &digest, PER_PERSON, FAILURES), address], [account, logins])
        };
        LoginLimits {
            failure: failure.into_iter().flatten().collect(),
            success: success.into_iter().flatten().collect(),
        }
    }

    /// What a request is counted as in which someone who is logged in shows the password again.
    pub fn of_password_check(&self, id: UserId) -> Vec<Limit> {
        limit("checks:account", id, self.password_checks_per_account, RATE).into_iter().collect()
    }

    /// What it is counted as beside that if the password is wrong.
    pub fn of_wrong_password(&self, id: UserId) -> Vec<Limit> {
        limit("failures:account", id, PER_PERSON, FAILURES).into_iter().collect()
    }

    /// What a request to reset a password is counted as, whether anyone has the address or not.
    pub fn of_reset(&self, email: &str, client: ClientAddr) -> Vec<Limit> {
        let address = limit("resets:email", digest(email), self.mails_per_account, RATE);
        let network = self.per_network("resets:address", client, self.mails_per_network, RATE);
        address.into_iter().chain(network).collect()
    }

    /// What a token that does not count is counted as. Nobody guesses one; this is for whoever tries all the same.
    pub fn of_wrong_token(&self, client: ClientAddr) -> Vec<Limit> {
        self.per_network("failures:token", client, PER_NETWORK, FAILURES).into_iter().collect()
    }

    /// What a request to verify one's address is counted as.
    pub fn of_verification(&self, id: UserId) -> Vec<Limit> {
        limit("verifications:account", id, self.mails_per_account, RATE).into_iter().collect()
    }

    /// What a notice of a login on a new device is counted as.
    pub fn of_login_notice(&self, id: UserId) -> Vec<Limit> {
        limit("notices:account", id, self.mails_per_account, RATE).into_iter().collect()
    }

    fn per_network(&self, what: &str, client: ClientAddr, most: u32, window: Duration) -> Option<Limit> {
        let counts = self.private_addresses || !client.is_private();
        counts.then(|| limit(what, client.network(), most, window)).flatten()
    }
}

/// What stands for an address in a key.
fn digest(email: &str) -> String {
    hex::encode(Sha256::digest(email.to_lowercase().as_bytes()))
}

fn limit(what: &str, whose: impl std::fmt::Display, most: u32, window: Duration) -> Option<Limit> {
    (most > 0).then(|| Limit { key: format!("login:{what}:{whose}"), most, window })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: RateLimits = RateLimits {
        registrations_per_network: 1,
        logins_per_network: 1,
        logins_per_account: 1,
        password_checks_per_account: 1,
        mails_per_account: 1,
        mails_per_network: 1,
        private_addresses: false,
    };

    fn client(address: &str) -> ClientAddr {
        ClientAddr(address.parse().unwrap())
    }

    #[test]
    fn an_email_address_is_counted_without_case_and_is_not_in_the_key() {
        let limits = |email| LIMITS.of_login(email, client("203.0.113.7"), None);
        assert_eq!(limits("Ani@Example.com"), limits("ani@example.com"));
        assert_ne!(limits("ani@example.com"), limits("ani@example.org"));
        assert!(!format!("{:?}", limits("ani@example.com")).contains("ani@"));
    }

    #[test]
    fn a_proxy_that_nobody_named_is_not_counted_in_production() {
        let counted = |limits: RateLimits, address| {
            let login = limits.of_login("ani@example.com", client(address), None);
            (limits.of_registration(client(address)).len(), login.failure.len(), login.success.len())
        };
        let development = RateLimits { private_addresses: true, ..LIMITS };
        for private in ["172.18.0.2", "127.0.0.1", "fd00::1"] {
            assert_eq!(counted(LIMITS, private), (0, 1, 1), "{private}");
            assert_eq!(counted(development, private), (1, 2, 2), "{private}");
        }
        assert_eq!(counted(LIMITS, "203.0.113.7"), (1, 2, 2));
    }

    #[test]
    fn without_rates_wrong_passwords_are_limited_all_the_same() {
        let off = LIMITS.off();
        let login = off.of_login("ani@example.com", client("203.0.113.7"), None);
        assert_eq!((login.failure.len(), login.success.len()), (2, 0));
        let id = UserId::try_from(7_i64).unwrap();
        assert_eq!((off.of_wrong_password(id).len(), off.of_password_check(id).len()), (1, 0));
    }
}
