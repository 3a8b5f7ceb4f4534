//! What each use case's errors are to the caller. Every match is complete, so that a new error needs a decision here.

use axum::http::StatusCode;
use chassis::Problem;

use crate::{
    app::{
        AddressBookError, ChangePasswordError, ConfirmPasswordError, EndSessionError, IdentifyError,
        LogInError, RefreshError, RegisterError, Taken, UpdateProfileError,
    },
    hasher::HashError,
};

impl From<Taken> for Problem {
    fn from(taken: Taken) -> Self {
        match taken {
            Taken::Email => {
                Self::conflict("email_taken", "There is an account with this e-mail address already.")
            }
            Taken::Username => {
                Self::conflict("username_taken", "There is an account with this username already.")
            }
        }
    }
}

impl From<HashError> for Problem {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => {
                Self::unavailable("busy", "Too many passwords are being checked; try again soon.")
            }
            HashError::Failed(_) | HashError::Lost(_) => Self::internal(error),
        }
    }
}

impl From<RegisterError> for Problem {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Taken(taken) => taken.into(),
            RegisterError::PasswordTooCommon => too_common("password"),
            RegisterError::TooMany(seconds) => {
                Self::too_many("Too many registrations from your network; wait before the next one.", seconds)
            }
            RegisterError::Hash(error) => error.into(),
            RegisterError::Database(error) => error.into(),
        }
    }
}

impl From<LogInError> for Problem {
    fn from(error: LogInError) -> Self {
        match error {
            LogInError::WrongCredentials => {
                let detail = "The e-mail address or the password is wrong.";
                Self::new(StatusCode::UNAUTHORIZED, "wrong_credentials", detail)
            }
            LogInError::TooMany(seconds) => too_many(seconds),
            LogInError::Hash(error) => error.into(),
            LogInError::Sign(error) => Self::internal(error),
            LogInError::Database(error) => error.into(),
        }
    }
}

impl From<RefreshError> for Problem {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Refused => Self::unauthorized("The refresh token does not count; log in again."),
            RefreshError::Sign(error) => Self::internal(error),
            RefreshError::Database(error) => error.into(),
        }
    }
}

impl From<IdentifyError> for Problem {
    fn from(error: IdentifyError) -> Self {
        match error {
            IdentifyError::Ended => Self::unauthorized("The session has ended; log in again."),
            IdentifyError::Database(error) => error.into(),
        }
    }
}

impl From<ConfirmPasswordError> for Problem {
    fn from(error: ConfirmPasswordError) -> Self {
        match error {
            ConfirmPasswordError::WrongPassword => {
                Self::unprocessable("wrong_password", "The password is wrong.")
            }
            ConfirmPasswordError::TooMany(seconds) => too_many(seconds),
            ConfirmPasswordError::Hash(error) => error.into(),
            ConfirmPasswordError::Database(error) => error.into(),
        }
    }
}

impl From<UpdateProfileError> for Problem {
    fn from(error: UpdateProfileError) -> Self {
        match error {
            UpdateProfileError::PasswordMissing => {
                Self::invalid_field("current_password", "is needed to change the e-mail address")
            }
            UpdateProfileError::Taken(taken) => taken.into(),
            UpdateProfileError::Confirm(error) => error.into(),
            UpdateProfileError::Database(error) => error.into(),
        }
    }
}

impl From<ChangePasswordError> for Problem {
    fn from(error: ChangePasswordError) -> Self {
        match error {
            ChangePasswordError::TooCommon => too_common("new_password"),
            ChangePasswordError::Confirm(error) => error.into(),
            ChangePasswordError::SessionEnded => IdentifyError::Ended.into(),
            ChangePasswordError::Hash(error) => error.into(),
            ChangePasswordError::Sign(error) => Self::internal(error),
            ChangePasswordError::Database(error) => error.into(),
        }
    }
}

impl From<EndSessionError> for Problem {
    fn from(error: EndSessionError) -> Self {
        match error {
            EndSessionError::Unknown => Self::not_found("There is no such session of yours."),
            EndSessionError::Database(error) => error.into(),
        }
    }
}

impl From<AddressBookError> for Problem {
    fn from(error: AddressBookError) -> Self {
        match error {
            AddressBookError::Unknown => Self::not_found("There is no such address in your address book."),
            AddressBookError::Full => {
                Self::conflict("limit_reached", "An address book has at most 20 addresses.")
            }
            AddressBookError::Database(error) => error.into(),
        }
    }
}

fn too_common(field: &'static str) -> Problem {
    Problem::invalid_field(field, "is one of the first that anybody would guess; choose another")
        .with_code("password_too_common")
}

fn too_many(seconds: u32) -> Problem {
    Problem::too_many("Too many wrong passwords, or too many attempts; wait before the next one.", seconds)
}
