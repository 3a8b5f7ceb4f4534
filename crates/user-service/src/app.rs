//! The use cases, one file each. Only here do transactions begin and end, and none of them waits for a password to be
//! hashed or for Redis.

pub mod address_book;
pub mod change_password;
pub mod confirm_password;
pub mod end_sessions;
pub mod forget_expired;
pub mod hash;
pub mod identify;
pub mod log_in;
pub mod make_first_admin;
pub mod refresh;
pub mod register;
pub mod update_profile;

/// Which of the two names that must be unique is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The e-mail address.
    Email,
    /// The username.
    Username,
}

impl Taken {
    /// Reads a violation of one of the two indexes, by its name.
    fn from_error(error: &sqlx::Error) -> Option<Self> {
        match error.as_database_error()?.constraint()? {
            "users_email_key" => Some(Self::Email),
            "users_username_key" => Some(Self::Username),
            _ => None,
        }
    }
}
