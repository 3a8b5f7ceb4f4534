//! Who people are. What must not be logged, here and in the modules beside, has no `Debug`.

use chassis::{Role, auth::StaffRole};
use contracts::UserId;
use garde::Validate;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// The longest address that mail can be sent to (RFC 5321, 4.5.3.1.3).
const EMAIL_LENGTH: usize = 254;
/// The longest mailbox of one (RFC 5321, 4.5.3.1.1).
const MAILBOX_LENGTH: usize = 64;
/// The longest label of a host name.
const LABEL_LENGTH: usize = 63;

/// Names of people who run a shop; a customer with one of them would be believed.
const RESERVED: [&str; 5] = ["admin", "administrator", "root", "support", "system"];

/// An account, as far as others may see it.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    pub id: UserId,
    pub username: String,
    pub email: String,
    /// Whether the owner has shown that the address is theirs.
    pub email_verified: bool,
    pub role: Role,
    /// What it runs beside buying.
    pub staff_roles: Vec<StaffRole>,
    pub created_at: OffsetDateTime,
}

/// A name to be known by.
#[derive(Clone, Deserialize, Serialize, Validate, ToSchema)]
#[serde(transparent)]
#[garde(transparent)]
#[schema(value_type = String, min_length = 3, max_length = 50, pattern = "^[A-Za-z0-9_.-]+$", example = "ani")]
pub struct Username(#[garde(custom(is_username))] String);

/// An e-mail address of plausible form; whether mail arrives is not known.
#[derive(Clone, Deserialize, Serialize, Validate, ToSchema)]
#[serde(transparent)]
#[garde(transparent)]
#[schema(
    value_type = String,
    format = "email",
    max_length = 254,
    pattern = "^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*\
               @([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]$",
    example = "ani@example.com"
)]
pub struct Email(#[garde(custom(is_email))] String);

impl Username {
    /// A name that is yet to be validated.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The name as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether only an administrator may have it, or it looks like one that only an administrator may have.
    pub fn is_reserved(&self) -> bool {
        RESERVED.iter().any(|reserved| skeleton(reserved) == skeleton(&self.0))
    }
}

/// What names that are easily confused have in common: they differ in case, in separators, or in digits that look
/// like letters.
fn skeleton(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let letter = |c: char| match c.to_ascii_lowercase() {
        '0' => 'o',
        '1' | 'l' => 'i',
        '3' => 'e',
        '4' => 'a',
        '5' => 's',
        '7' => 't',
        other => other,
    };
    letters.map(letter).collect()
}

impl Email {
    /// An address that is yet to be validated.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The address as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the same address in another case.
    pub fn is(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

fn is_username<Context>(name: &str, _: &Context) -> garde::Result {
    let well = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
    if (3..=50).contains(&name.len()) && name.bytes().all(well) {
        return Ok(());
    }
    Err(garde::Error::new("must be 3 to 50 letters, digits, `_`, `.` or `-`"))
}

fn is_email<Context>(address: &str, _: &Context) -> garde::Result {
    let parts = address.rsplit_once('@').filter(|_| address.len() <= EMAIL_LENGTH);
    if parts.is_some_and(|(mailbox, host)| is_mailbox(mailbox) && is_host(host)) {
        return Ok(());
    }
    Err(garde::Error::new("must be an e-mail address such as `ani@example.com`"))
}

/// The dot-atom of RFC 5322; quoted mailboxes are legal, but nobody has one.
fn is_mailbox(mailbox: &str) -> bool {
    let well = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&b);
    let is_atom = |atom: &str| !atom.is_empty() && atom.bytes().all(well);
    mailbox.len() <= MAILBOX_LENGTH && mailbox.split('.').all(is_atom)
}

fn is_host(host: &str) -> bool {
    let is_label = |label: &str| {
        (1..=LABEL_LENGTH).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_top = |label: &str| label.len() > 1 && label.starts_with(|c: char| c.is_ascii_alphabetic());
    host.split('.').all(is_label) && host.rsplit_once('.').is_some_and(|(_, top)| is_top(top))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_address_has_a_mailbox_and_a_host_with_a_dot() {
        let longest = format!("{}@example.com", "a".repeat(64));
        for good in [&longest, "a@b.co", "Ani.Wijaya+shop@mail.example.co.id", "x_y-z@xn--bcher-kva.example"]
        {
            assert!(is_email(good, &()).is_ok(), "{good}");
        }
        let long = format!("{}@example.com", "a".repeat(65));
        let longer = format!("a@{}.com", "b".repeat(250));
        let bad = [
            "",
            "ani",
            "@example.com",
            "ani@",
            "ani@localhost",
            "ani@@example.com",
            "a b@example.com",
            ".a@example.com",
            "a.@example.com",
            "a..b@example.com",
            "a@-b.com",
            "a@b-.com",
            "a@b..com",
            "a@.com",
            "a@b.com.",
            "a@1.2.3.4",
            "a@b.c",
            "ani@example.com\n",
            "\u{1f600}@example.com",
            &long,
            &longer,
        ];
        for bad in bad {
            assert!(is_email(bad, &()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_username_is_short_and_plain() {
        let longest = "a".repeat(50);
        for good in ["ani", "A_b.c-9", &longest] {
            assert!(is_username(good, &()).is_ok(), "{good}");
        }
        let long = "a".repeat(51);
        for bad in ["", "ab", &long, "a b c", "ani@x", "änni", "ani\n"] {
            assert!(is_username(bad, &()).is_err(), "{bad}");
        }
    }
}
