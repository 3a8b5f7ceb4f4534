//! E-mails about accounts, and the tokens in them.

use hmac::{Hmac, KeyInit, Mac, digest::InvalidLength};
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use time::Duration;

use super::key::derive_key;

/// What keeps this key apart from others that are made of the same secret.
const LABEL: &[u8] = b"shop/user-service/mail-token/1";

/// What an e-mail about an account says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum MailKind {
    /// Asks the owner to show that the account's address is theirs.
    VerifyEmail,
    /// Has the means to choose another password.
    ResetPassword,
    /// Asks the reader to show that an address is theirs, which then becomes the account's.
    ConfirmEmail,
    /// Goes to the address that an account had before.
    EmailChanged,
    /// Says that somebody logged in on a device that was not known.
    NewLogin,
}

impl MailKind {
    /// Those that have a token.
    pub const WITH_TOKEN: [Self; 3] = [Self::VerifyEmail, Self::ResetPassword, Self::ConfirmEmail];

    /// How long it is of use: its token counts, or the message is worth reading.
    pub const fn lifetime(self) -> Duration {
        match self {
            Self::ResetPassword => Duration::minutes(30),
            Self::VerifyEmail | Self::ConfirmEmail | Self::EmailChanged | Self::NewLogin => {
                Duration::hours(24)
            }
        }
    }

    /// Whether it has a token.
    pub fn asks(self) -> bool {
        Self::WITH_TOKEN.contains(&self)
    }

    /// As in the database, and in what tokens are made of.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::ConfirmEmail => "confirm_email",
            Self::EmailChanged => "email_changed",
            Self::NewLogin => "new_login",
        }
    }
}

/// Makes the tokens of e-mails: HMAC-SHA256(key, salt, kind). A token is made again whenever its e-mail is sent again, so
/// all copies of one have the same, and only its hash is stored: whoever reads the database cannot use it.
#[derive(Clone)]
pub struct MailKey {
    current: Hmac<Sha256>,
    /// Of the secret that was replaced: what it made is still on its way.
    previous: Option<Hmac<Sha256>>,
}

/// The token of an e-mail: 64 hexadecimal digits. It has no `Debug`.
pub struct MailToken(String);

impl MailKey {
    /// The key that belongs to the secret with which access tokens are signed, and to its predecessor.
    pub fn derive(secret: &SecretString, previous: Option<&SecretString>) -> Result<Self, InvalidLength> {
        let key = |secret| Hmac::new_from_slice(&derive_key(secret, LABEL)?);
        Ok(Self { current: key(secret)?, previous: previous.map(key).transpose()? })
    }

    /// The token of a new e-mail.
    pub fn token(&self, salt: &[u8], kind: MailKind) -> MailToken {
        token(&self.current, salt, kind)
    }

    /// The token with this hash, whichever secret made it.
    pub fn token_again(&self, salt: &[u8], kind: MailKind, hash: &[u8]) -> Option<MailToken> {
        let keys = std::iter::once(&self.current).chain(&self.previous);
        keys.map(|key| token(key, salt, kind)).find(|token| token.hash() == hash)
    }
}

fn token(key: &Hmac<Sha256>, salt: &[u8], kind: MailKind) -> MailToken {
    let mac = key.clone().chain_update(salt).chain_update(kind.as_str());
    MailToken(hex::encode(mac.finalize().into_bytes()))
}

impl MailToken {
    /// Whatever a client says is one.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The token as its reader gets it.
    pub fn into_text(self) -> String {
        self.0
    }

    /// What is stored of it. The token is as random as a key, so a plain hash cannot be searched.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &str, previous: Option<&str>) -> MailKey {
        let previous = previous.map(SecretString::from);
        MailKey::derive(&SecretString::from(secret), previous.as_ref()).unwrap()
    }

    #[test]
    fn a_token_depends_on_the_secret_the_salt_and_the_kind() {
        let token = |secret, salt: &[u8], kind| key(secret, None).token(salt, kind).into_text();
        let one = token("secret", b"salt", MailKind::ResetPassword);
        assert_eq!(one, token("secret", b"salt", MailKind::ResetPassword), "the same again");
        assert_eq!(one.len(), 64);
        assert_ne!(one, token("secret", b"salt", MailKind::VerifyEmail));
        assert_ne!(one, token("secret", b"tlas", MailKind::ResetPassword));
        assert_ne!(one, token("other", b"salt", MailKind::ResetPassword));
    }

    #[test]
    fn a_token_is_made_again_after_the_secret_was_replaced() {
        let kind = MailKind::VerifyEmail;
        let before = key("former", None).token(b"salt", kind);
        let again = key("secret", Some("former")).token_again(b"salt", kind, &before.hash()).unwrap();
        assert_eq!(again.into_text(), before.into_text());
        let hash = key("former", None).token(b"salt", kind).hash();
        assert!(key("secret", None).token_again(b"salt", kind, &hash).is_none());
    }
}
