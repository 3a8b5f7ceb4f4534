//! Sessions and the chain of refresh tokens that each of them is.

use contracts::SessionId;
use hmac::{Hmac, KeyInit, Mac, digest::InvalidLength};
use rand::Rng;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};

use super::key::derive_key;

/// How long an access token counts.
pub const ACCESS_LIFETIME: Duration = Duration::minutes(15);
/// How long a session lives after its last refresh.
pub const REFRESH_LIFETIME: Duration = Duration::days(7);
/// How long a session lives at most, however often it is refreshed.
pub const SESSION_LIFETIME: Duration = Duration::days(90);
/// In how many sessions one account may be logged in at a time.
pub const MAX_SESSIONS: i64 = 20;
/// How many tokens of its chain a session keeps: more than one spends in [`REFRESH_LIFETIME`] that is refreshed whenever
/// its access token expires. An older one is as unknown as one that was never given out.
pub const CHAIN_LENGTH: i32 = 1_000;
/// How long a spent token still gets its successor again: requests that left together, or an answer that was lost.
const GRACE: Duration = Duration::seconds(20);
/// What keeps this key apart from others that are made of the same secret.
const LABEL: &[u8] = b"shop/user-service/refresh-token/1";

/// A session as its owner sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub created_at: OffsetDateTime,
    /// When it was last refreshed, or logged in.
    pub last_used_at: OffsetDateTime,
    /// What the client said it is.
    pub user_agent: Option<String>,
}

/// What someone gets who logged in or refreshed.
#[derive(Clone)]
pub struct Grant {
    /// A signed token for the API.
    pub access_token: String,
    /// Exchanged for the next pair, once.
    pub refresh_token: RefreshToken,
    /// What the device is known by at its next login, if its owner typed the password.
    pub device_token: Option<String>,
}

/// Makes refresh tokens. Token n of a session is HMAC-SHA256(key, salt, n): the same successor can be given twice,
/// although only hashes are stored.
#[derive(Clone)]
pub struct RefreshKey {
    current: Hmac<Sha256>,
    /// Of the secret that was replaced: what it made may have to be made again.
    previous: Option<Hmac<Sha256>>,
}

/// A refresh token: 64 hexadecimal digits.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken(String);

impl RefreshKey {
    /// The key that belongs to the secret with which access tokens are signed, and to its predecessor.
    pub fn derive(secret: &SecretString, previous: Option<&SecretString>) -> Result<Self, InvalidLength> {
        let key = |secret| Hmac::new_from_slice(&derive_key(secret, LABEL)?);
        Ok(Self { current: key(secret)?, previous: previous.map(key).transpose()? })
    }

    /// Token n of the session with this salt.
    pub fn token(&self, salt: &[u8], n: i32) -> RefreshToken {
        token(&self.current, salt, n)
    }

    /// The same token as it was given before: the one with this hash, whichever secret made it.
    pub fn token_again(&self, salt: &[u8], n: i32, hash: &[u8]) -> Option<RefreshToken> {
        let keys = std::iter::once(&self.current).chain(&self.previous);
        keys.map(|key| token(key, salt, n)).find(|token| token.hash() == hash)
    }
}

fn token(key: &Hmac<Sha256>, salt: &[u8], n: i32) -> RefreshToken {
    let mac = key.clone().chain_update(salt).chain_update(n.to_be_bytes());
    RefreshToken(hex::encode(mac.finalize().into_bytes()))
}

impl RefreshToken {
    /// Whatever a client says is one.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The token as its owner gets it.
    pub fn into_text(self) -> String {
        self.0
    }

    /// What is stored of it. The token is as random as a key, so a plain hash cannot be searched.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

pub fn new_salt() -> [u8; 16] {
    let mut salt = [0; 16];
    rand::rng().fill_bytes(&mut salt);
    salt
}

/// Whether a genuine refresh token was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenStatus {
    /// Never: its successor is to be made.
    Unspent,
    /// A moment ago: its successor is given again.
    JustSpent,
    /// Earlier: two parties have it, and the session ends.
    Reused,
}

pub fn token_status(used_at: Option<OffsetDateTime>, now: OffsetDateTime) -> TokenStatus {
    match used_at {
        None => TokenStatus::Unspent,
        Some(used_at) if now - used_at <= GRACE => TokenStatus::JustSpent,
        Some(_) => TokenStatus::Reused,
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn key(secret: &str) -> RefreshKey {
        RefreshKey::derive(&SecretString::from(secret), None).unwrap()
    }

    #[test]
    fn a_token_depends_on_the_secret_the_session_and_its_place_in_the_chain() {
        let token = |secret, salt: &[u8], n| key(secret).token(salt, n).into_text();
        let one = token("secret", b"salt", 1);
        assert_eq!(one, token("secret", b"salt", 1), "the same again");
        assert_eq!(one.len(), 64);
        assert_ne!(one, token("secret", b"salt", 2));
        assert_ne!(one, token("secret", b"tlas", 1));
        assert_ne!(one, token("other", b"salt", 1));
    }

    #[test]
    fn the_key_is_not_the_secret_itself() {
        let raw = RefreshKey { current: Hmac::new_from_slice(b"secret").unwrap(), previous: None };
        let with_secret = raw.token(b"salt", 1).into_text();
        assert_ne!(key("secret").token(b"salt", 1).into_text(), with_secret);
    }

    #[test]
    fn a_spent_token_is_good_for_its_successor_for_20_seconds() {
        let used = datetime!(2026-01-02 03:04:05 UTC);
        assert_eq!(token_status(None, used), TokenStatus::Unspent);
        assert_eq!(token_status(Some(used), used + Duration::seconds(20)), TokenStatus::JustSpent);
        assert_eq!(token_status(Some(used), used + Duration::milliseconds(20_001)), TokenStatus::Reused);
        assert_eq!(
            token_status(Some(used), used - Duration::seconds(1)),
            TokenStatus::JustSpent,
            "spent while we looked"
        );
    }
}
