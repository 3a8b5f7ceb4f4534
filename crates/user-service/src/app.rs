//! The use cases, one file each. Only here do transactions begin and end, and none of them waits for a password to be
//! hashed or for Redis.

mod address_book;
mod change_password;
mod confirm_password;
mod end_sessions;
mod forget_expired;
mod hash;
mod identify;
mod log_in;
mod make_first_admin;
mod refresh;
mod register;
mod update_profile;

pub use address_book::AddressError;
pub use change_password::ChangePasswordError;
pub use confirm_password::ConfirmError;
pub use end_sessions::EndSessionError;
pub use hash::{HashError, Hasher};
pub use identify::IdentifyError;
pub use log_in::{Credentials, Device, LogInError};
pub use make_first_admin::FirstAdminError;
pub use refresh::RefreshError;
pub use register::{NewAccount, RegisterError};
pub use update_profile::{ProfileChange, UpdateProfileError};

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
