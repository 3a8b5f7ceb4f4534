//! Keys of their own for everything that is signed here, from the one secret that is configured.

use hmac::{Hmac, KeyInit, Mac, digest::InvalidLength};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// A key for what the label names. Nobody can make another one of it, or the secret.
pub(super) fn derive_key(secret: &SecretString, label: &[u8]) -> Result<[u8; 32], InvalidLength> {
    let derived = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())?.chain_update(label);
    Ok(derived.finalize().into_bytes().into())
}
