//! How often a password may be guessed.

use std::{net::IpAddr, time::Duration};

use contracts::UserId;
use sha2::{Digest, Sha256};

/// How long failures count, from the first on.
pub const WINDOW: Duration = Duration::from_mins(5);
/// Failures per e-mail address or account.
const PER_PERSON: i64 = 10;
/// Failures per client address: many people may share one.
const PER_ADDRESS: i64 = 100;

/// Something for which failures are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// The key of its count. What it is made of cannot be read from it.
    pub key: String,
    /// How many failures it stands.
    pub most: i64,
}

impl Limit {
    /// Logins with this e-mail address, whether anyone has it or not.
    pub fn of_email(email: &str) -> Self {
        let digest = Sha256::digest(email.to_lowercase().as_bytes());
        Self { key: format!("login:failures:email:{}", hex::encode(digest)), most: PER_PERSON }
    }

    /// Logins from this address.
    pub fn of_address(address: IpAddr) -> Self {
        Self { key: format!("login:failures:address:{}", network_of(address)), most: PER_ADDRESS }
    }

    /// Confirmations with the password by someone who is logged in already.
    pub fn of_account(id: UserId) -> Self {
        Self { key: format!("login:failures:account:{id}"), most: PER_PERSON }
    }
}

/// What one customer's addresses have in common: an IPv6 customer has at least a /64 to choose from.
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => std::net::Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_address_is_counted_without_case_and_is_not_in_the_key() {
        let limit = Limit::of_email("Ani@Example.com");
        assert_eq!(limit, Limit::of_email("ani@example.com"));
        assert_ne!(limit, Limit::of_email("ani@example.org"));
        assert!(!limit.key.contains("ani"));
    }

    #[test]
    fn an_ipv6_customer_cannot_hide_in_a_network_of_its_own() {
        let network = |text: &str| network_of(text.parse().unwrap()).to_string();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(network("203.0.113.7"), "203.0.113.7");
        assert_eq!(network("::ffff:203.0.113.7"), "203.0.113.7");
    }
}
