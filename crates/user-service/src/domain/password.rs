//! Passwords, and Argon2id with the parameters that OWASP recommends
//! (<https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html>).

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{
        self,
        phc::{Output, ParamsString, PasswordHash, Salt},
    },
};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const HASH_LENGTH: usize = 32;
/// What is reserved for a hash, in blocks of 1 KiB. The C library keeps freed memory of up to 32 MiB for later; what is
/// larger it gives back at once, and pages that were only reserved cost nothing.
const RESERVED: usize = 33 * 1024;
/// The passwords that are guessed first: one a line, in lower case, 8 characters and longer, and in order.
const COMMON: &str = include_str!("common_passwords.txt");
/// What a password for nobody is hashed with.
const NOBODYS_SALT: &[u8] = b"nobody has this salt";

/// A password that someone wants to have.
#[derive(Clone, Deserialize, Validate, ToSchema)]
#[serde(transparent)]
#[garde(transparent)]
#[schema(
    value_type = String,
    format = "password",
    min_length = 8,
    max_length = 128,
    pattern = r"^[^\u0000]*$",
    example = "correct horse battery"
)]
pub struct NewPassword(#[garde(length(chars, min = 8, max = 128))] String);

/// A password that someone claims to have. It may be shorter than a new one must be: it is wrong then.
#[derive(Clone, Deserialize, Validate, ToSchema)]
#[serde(transparent)]
#[garde(transparent)]
#[schema(
    value_type = String,
    format = "password",
    min_length = 1,
    max_length = 128,
    pattern = r"^[^\u0000]*$",
    example = "correct horse battery"
)]
pub struct GivenPassword(#[garde(length(chars, min = 1, max = 128))] String);

/// What a hash is computed in. To get so much memory from the system takes as long as to hash, so it is used again.
pub struct Memory(Vec<Block>);

impl Memory {
    /// Memory that is taken from the system when it is first used.
    pub fn new() -> Self {
        Self(Vec::with_capacity(RESERVED))
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl NewPassword {
    /// A password that is yet to be validated.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Whether it is among those that are guessed first, in any case: common ones, and the account's username and e-mail
    /// address or mailbox.
    pub fn is_common(&self, username: &str, email: &str) -> bool {
        let password = self.0.to_lowercase();
        let mailbox = email.rsplit_once('@').map_or(email, |(mailbox, _)| mailbox);
        let own = [username, email, mailbox];
        own.iter().any(|word| word.to_lowercase() == password)
            || COMMON.lines().any(|common| common == password)
    }
}

/// The PHC string that is stored for a password. It takes tens of milliseconds.
pub fn hash_password(password: &NewPassword, memory: &mut Memory) -> password_hash::Result<String> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(HASH_LENGTH))?;
    let salt = Salt::generate();
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params)?,
        salt: Some(salt),
        hash: Some(argon2id(password.0.as_bytes(), &salt, params, memory)?),
    };
    Ok(hash.to_string())
}

/// Whether a password is the one that was stored. It takes as long as [`hash_password`], also when nothing was stored,
/// so that the time does not show whether an account exists.
pub fn verify_password(
    password: &GivenPassword,
    stored: Option<&str>,
    memory: &mut Memory,
) -> password_hash::Result<bool> {
    let password = password.0.as_bytes();
    let Some(stored) = stored else {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(HASH_LENGTH))?;
        return argon2id(password, NOBODYS_SALT, params, memory).map(|_| false);
    };
    let stored = PasswordHash::new(stored)?;
    let (Some(salt), Some(expected)) = (stored.salt, stored.hash) else {
        return Err(password_hash::Error::EncodingInvalid);
    };
    // `Output` compares in constant time.
    Ok(argon2id(password, &salt, Params::try_from(&stored)?, memory)? == expected)
}

fn argon2id(
    password: &[u8],
    salt: &[u8],
    params: Params,
    memory: &mut Memory,
) -> password_hash::Result<Output> {
    if memory.0.len() < params.block_count() {
        memory.0.resize(params.block_count(), Block::new());
    }
    let mut hash = [0; HASH_LENGTH];
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    hasher.hash_password_into_with_memory(password, salt, &mut hash, &mut memory.0)?;
    Ok(Output::new(&hash)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(text: &str) -> GivenPassword {
        GivenPassword(text.to_owned())
    }

    fn verify(password: &str, stored: Option<&str>) -> password_hash::Result<bool> {
        verify_password(&given(password), stored, &mut Memory::new())
    }

    #[test]
    fn a_password_is_stored_as_argon2id_with_the_recommended_parameters() {
        let mut memory = Memory::new();
        let stored = hash_password(&NewPassword::new("correct horse"), &mut memory).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(verify("correct horse", Some(&stored)).unwrap());
        assert!(!verify("correct horsf", Some(&stored)).unwrap());
        assert!(!verify("correct horse", None).unwrap());
        assert_ne!(stored, hash_password(&NewPassword::new("correct horse"), &mut memory).unwrap(), "salted");
        assert!(
            verify_password(&given("correct horse"), Some(&stored), &mut memory).unwrap(),
            "in used memory"
        );
    }

    #[test]
    fn what_is_guessed_first_is_known_in_any_case() {
        let is_common =
            |password: &str| NewPassword::new(password).is_common("ani.wijaya", "Shopper@Example.com");
        for common in ["password", "PASSWORD123", "12345678", "ANI.Wijaya", "sHopper", "shopper@example.com"]
        {
            assert!(is_common(common), "{common}");
        }
        for rare in
            ["correct horse battery", "a password123", "password1234567", "ani.wijaya1", "example.com"]
        {
            assert!(!is_common(rare), "{rare}");
        }
    }

    #[test]
    fn the_list_has_what_can_be_a_password_and_nothing_twice() {
        let lines: Vec<&str> = COMMON.lines().collect();
        assert!(lines.is_sorted_by(|one, next| one < next) && lines.len() > 900, "{}", lines.len());
        for line in lines {
            assert!(NewPassword::new(line).validate().is_ok() && line == line.to_lowercase(), "{line}");
        }
    }

    #[test]
    fn a_hash_of_another_implementation_is_understood() {
        // The test vector of the reference implementation for a password of "password" and a salt of "somesalt".
        let stored = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert!(verify("password", Some(stored)).unwrap());
    }

    #[test]
    fn what_is_stored_wrongly_is_an_error_and_no_wrong_password() {
        assert!(verify("password", Some("")).is_err());
        assert!(verify("password", Some("$argon2id$v=19$m=19456,t=2,p=1")).is_err());
    }
}
