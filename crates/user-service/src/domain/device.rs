//! Devices on which somebody logged in before. Their tokens keep their owners from being shut out by strangers who guess;
//! they open nothing.

use contracts::UserId;
use hmac::{Hmac, KeyInit, Mac, digest::InvalidLength};
use rand::Rng;
use secrecy::SecretString;
use sha2::Sha256;
use time::{Duration, OffsetDateTime};

use super::key::derive_key;

/// How long a device stays known after a login on it.
const LIFETIME: Duration = Duration::days(180);
/// What keeps this key apart from others that are made of the same secret.
const LABEL: &[u8] = b"shop/user-service/device-token/1";
/// The bytes of a token: the account, the id and the time, and their authentication code.
const LENGTH: usize = 8 + 16 + 8 + 32;

/// A device that one account has logged in on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Device {
    account: UserId,
    id: [u8; 16],
    /// When somebody last logged in on it: Unix time in seconds.
    issued_at: i64,
}

/// Makes and checks device tokens: the hexadecimal digits of a device with its HMAC-SHA256. The stored password is part
/// of what is authenticated, so a new password makes all devices unknown, also those of somebody who had found out the old one.
#[derive(Clone)]
pub struct DeviceKey {
    current: Hmac<Sha256>,
    /// Of the secret that was replaced: devices stay known.
    previous: Option<Hmac<Sha256>>,
}

impl Device {
    /// A device that was not known before.
    pub fn new(account: UserId, now: OffsetDateTime) -> Self {
        let mut id = [0; 16];
        rand::rng().fill_bytes(&mut id);
        Self { account, id, issued_at: now.unix_timestamp() }
    }

    /// The same device after another login.
    #[must_use]
    pub fn renewed(self, now: OffsetDateTime) -> Self {
        Self { issued_at: now.unix_timestamp(), ..self }
    }

    /// The account whose owner logged in on it.
    pub fn account(&self) -> UserId {
        self.account
    }

    /// Its id in hexadecimal digits, as the counters name it.
    pub fn id(&self) -> String {
        hex::encode(self.id)
    }

    /// Whether it is still known, to this account.
    pub fn is_known_to(&self, account: UserId, now: OffsetDateTime) -> bool {
        self.account == account && now.unix_timestamp() - self.issued_at <= LIFETIME.whole_seconds()
    }

    fn to_bytes(self) -> Vec<u8> {
        [&self.account.get().to_be_bytes()[..], &self.id, &self.issued_at.to_be_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (account, rest) = bytes.split_first_chunk()?;
        let (id, rest) = rest.split_first_chunk()?;
        let issued_at = i64::from_be_bytes(rest.try_into().ok()?);
        Some(Self { account: i64::from_be_bytes(*account).try_into().ok()?, id: *id, issued_at })
    }
}

impl DeviceKey {
    /// The key that belongs to the secret with which access tokens are signed, and to its predecessor.
    pub fn derive(secret: &SecretString, previous: Option<&SecretString>) -> Result<Self, InvalidLength> {
        let key = |secret| Hmac::new_from_slice(&derive_key(secret, LABEL)?);
        Ok(Self { current: key(secret)?, previous: previous.map(key).transpose()? })
    }

    /// The token of a device on which the password with this stored hash was typed.
    pub fn token(&self, device: Device, password_hash: &str) -> String {
        let device = device.to_bytes();
        let code = authenticate(&self.current, &device, password_hash).finalize().into_bytes();
        hex::encode([&device[..], &code].concat())
    }

    /// The device of a genuine token. The caller checks whose it is, and how old.
    pub fn verify(&self, token: &str, password_hash: &str) -> Option<Device> {
        let bytes = hex::decode(token).ok().filter(|bytes| bytes.len() == LENGTH)?;
        let (device, code) = bytes.split_at(LENGTH - 32);
        let mut keys = std::iter::once(&self.current).chain(&self.previous);
        let genuine = keys.any(|key| authenticate(key, device, password_hash).verify_slice(code).is_ok());
        Device::from_bytes(device).filter(|_| genuine)
    }
}

fn authenticate(key: &Hmac<Sha256>, device: &[u8], password_hash: &str) -> Hmac<Sha256> {
    // The first part has a fixed length, so no two pairs are the same text.
    key.clone().chain_update(device).chain_update(password_hash)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-01-02 03:04:05 UTC);

    fn user(id: i64) -> UserId {
        id.try_into().unwrap()
    }

    fn key(secret: &str) -> DeviceKey {
        DeviceKey::derive(&SecretString::from(secret), None).unwrap()
    }

    #[test]
    fn a_device_is_known_for_180_days_and_to_one_account() {
        let device = Device::new(user(7), NOW);
        assert!(device.is_known_to(user(7), NOW + LIFETIME));
        assert!(!device.is_known_to(user(7), NOW + LIFETIME + Duration::seconds(1)));
        assert!(!device.is_known_to(user(8), NOW));
        let renewed = device.renewed(NOW + LIFETIME);
        assert!(renewed.is_known_to(user(7), NOW + LIFETIME * 2));
        assert_eq!(renewed.id(), device.id(), "its failures are counted on");
        assert_ne!(Device::new(user(7), NOW).id(), device.id());
    }

    #[test]
    fn a_token_counts_as_it_was_made_and_for_that_password_only() {
        let (key, device) = (key("secret"), Device::new(user(7), NOW));
        let token = key.token(device, "hash");
        assert_eq!(key.verify(&token, "hash"), Some(device));
        assert_eq!(key.verify(&token, "another hash"), None);
        assert_eq!(self::key("other").verify(&token, "hash"), None);
        for at in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[at] = if forged[at] == b'0' { b'1' } else { b'0' };
            assert_eq!(key.verify(&String::from_utf8(forged).unwrap(), "hash"), None, "digit {at}");
        }
        for other in ["", "x", &token[2..], &format!("{token}00")] {
            assert_eq!(key.verify(other, "hash"), None, "{other}");
        }
    }
}
