//! What each use case's errors are to the caller. Every match is complete, so that a new error needs a decision here.

use chassis::{Codes, Problem, Refuses, codes};

use crate::{
    app::{
        AddressBookError, ChangeEmailError, ChangePasswordError, ConfirmPasswordError, EndSessionError,
        IdentifyError, LogInError, ManageUserError, RefreshError, RegisterError, RequestResetError,
        ResendVerificationError, ResetPasswordError, Taken, UpdateProfileError, VerifyEmailError,
    },
    hasher::HashError,
};

codes! {
    /// Why this service refuses a request.
    pub enum Code {
        /// Unknown, or not yours.
        NotYours(NOT_FOUND, "not_found"),
        /// There is an account with this e-mail address already.
        EmailTaken(CONFLICT, "email_taken"),
        /// There is an account with this username already.
        UsernameTaken(CONFLICT, "username_taken"),
        /// An address book has at most 20 addresses.
        LimitReached(CONFLICT, "limit_reached"),
        /// The password is among those that are guessed first.
        PasswordTooCommon(BAD_REQUEST, "password_too_common"),
        /// The e-mail address or the password is wrong.
        WrongCredentials(UNAUTHORIZED, "wrong_credentials"),
        /// The password is wrong.
        WrongPassword(UNPROCESSABLE_ENTITY, "wrong_password"),
        /// The refresh token was never given out, has expired, was used before, or its session has ended.
        RefreshRefused(UNAUTHORIZED, "unauthorized"),
        /// Too many registrations or requests from this network: see Retry-After.
        TooManyRegistrations(TOO_MANY_REQUESTS, "too_many_requests"),
        /// Too many wrong passwords, or too many attempts: see Retry-After.
        TooManyAttempts(TOO_MANY_REQUESTS, "too_many_requests"),
        /// The token was never sent, has expired, was used before, or is for something else.
        TokenRefused(UNPROCESSABLE_ENTITY, "token_refused"),
        /// The e-mail address is verified already.
        AlreadyVerified(CONFLICT, "already_verified"),
        /// Too many e-mails to this address or from this network: see Retry-After.
        TooManyMails(TOO_MANY_REQUESTS, "too_many_requests"),
        /// There is no such account.
        UnknownUser(NOT_FOUND, "not_found"),
        /// Nobody could run the shop any more.
        LastAdministrator(CONFLICT, "last_administrator"),
        /// The account is disabled; ask the shop.
        AccountDisabled(UNAUTHORIZED, "account_disabled"),
        /// Too many passwords are being checked; try again soon.
        Busy(SERVICE_UNAVAILABLE, "busy"),
    }
}

impl From<Taken> for Problem {
    fn from(taken: Taken) -> Self {
        match taken {
            Taken::Email => Code::EmailTaken.into(),
            Taken::Username => Code::UsernameTaken.into(),
        }
    }
}

impl From<HashError> for Problem {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => Code::Busy.into(),
            HashError::Failed(_) | HashError::Lost(_) => Self::internal(error),
        }
    }
}

impl Refuses for RegisterError {
    const CODES: Codes = &[
        &Code::PasswordTooCommon,
        &Code::EmailTaken,
        &Code::UsernameTaken,
        &Code::TooManyRegistrations,
        &Code::Busy,
    ];
}

impl From<RegisterError> for Problem {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Taken(taken) => taken.into(),
            RegisterError::PasswordTooCommon => too_common("password"),
            RegisterError::TooMany(seconds) => {
                let detail = "Too many registrations from your network; wait before the next one.";
                Self::new(Code::TooManyRegistrations, detail).retry_after(seconds)
            }
            RegisterError::Hash(error) => error.into(),
            RegisterError::Database(error) => error.into(),
        }
    }
}

impl Refuses for LogInError {
    const CODES: Codes =
        &[&Code::WrongCredentials, &Code::AccountDisabled, &Code::TooManyAttempts, &Code::Busy];
}

impl From<LogInError> for Problem {
    fn from(error: LogInError) -> Self {
        match error {
            LogInError::WrongCredentials => Code::WrongCredentials.into(),
            LogInError::Disabled => Code::AccountDisabled.into(),
            LogInError::TooMany(seconds) => too_many(seconds),
            LogInError::Hash(error) => error.into(),
            LogInError::Sign(error) => Self::internal(error),
            LogInError::Database(error) => error.into(),
        }
    }
}

impl Refuses for RefreshError {
    /// The gateway limits how often an address may refresh.
    const CODES: Codes = &[&Code::RefreshRefused, &chassis::Code::TooManyRequests];
}

impl From<RefreshError> for Problem {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Refused => {
                Self::new(Code::RefreshRefused, "The refresh token does not count; log in again.")
            }
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
            ConfirmPasswordError::WrongPassword => Code::WrongPassword.into(),
            ConfirmPasswordError::TooMany(seconds) => too_many(seconds),
            ConfirmPasswordError::Hash(error) => error.into(),
            ConfirmPasswordError::Database(error) => error.into(),
        }
    }
}

impl Refuses for UpdateProfileError {
    const CODES: Codes =
        &[&Code::EmailTaken, &Code::UsernameTaken, &Code::WrongPassword, &Code::TooManyAttempts, &Code::Busy];
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

impl Refuses for ChangePasswordError {
    const CODES: Codes =
        &[&Code::PasswordTooCommon, &Code::WrongPassword, &Code::TooManyAttempts, &Code::Busy];
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

impl Refuses for VerifyEmailError {
    const CODES: Codes = &[&Code::TokenRefused, &Code::EmailTaken, &Code::TooManyAttempts];
}

impl From<VerifyEmailError> for Problem {
    fn from(error: VerifyEmailError) -> Self {
        match error {
            VerifyEmailError::TokenRefused => Code::TokenRefused.into(),
            VerifyEmailError::Taken(taken) => taken.into(),
            VerifyEmailError::TooMany(seconds) => too_many(seconds),
            VerifyEmailError::Database(error) => error.into(),
        }
    }
}

impl Refuses for ResendVerificationError {
    const CODES: Codes = &[&Code::AlreadyVerified, &Code::TooManyMails];
}

impl From<ResendVerificationError> for Problem {
    fn from(error: ResendVerificationError) -> Self {
        match error {
            ResendVerificationError::AlreadyVerified => Code::AlreadyVerified.into(),
            ResendVerificationError::TooMany(seconds) => too_many_mails(seconds),
            ResendVerificationError::Database(error) => error.into(),
        }
    }
}

impl Refuses for ChangeEmailError {
    const CODES: Codes = &[&Code::EmailTaken, &Code::WrongPassword, &Code::TooManyAttempts, &Code::Busy];
}

impl From<ChangeEmailError> for Problem {
    fn from(error: ChangeEmailError) -> Self {
        match error {
            ChangeEmailError::Taken(taken) => taken.into(),
            ChangeEmailError::Confirm(error) => error.into(),
            ChangeEmailError::Database(error) => error.into(),
        }
    }
}

impl Refuses for RequestResetError {
    const CODES: Codes = &[&Code::TooManyMails];
}

impl From<RequestResetError> for Problem {
    fn from(error: RequestResetError) -> Self {
        match error {
            RequestResetError::TooMany(seconds) => too_many_mails(seconds),
            RequestResetError::Database(error) => error.into(),
        }
    }
}

impl Refuses for ResetPasswordError {
    const CODES: Codes =
        &[&Code::PasswordTooCommon, &Code::TokenRefused, &Code::TooManyAttempts, &Code::Busy];
}

impl From<ResetPasswordError> for Problem {
    fn from(error: ResetPasswordError) -> Self {
        match error {
            ResetPasswordError::TokenRefused => Code::TokenRefused.into(),
            ResetPasswordError::TooCommon => too_common("new_password"),
            ResetPasswordError::TooMany(seconds) => too_many(seconds),
            ResetPasswordError::Hash(error) => error.into(),
            ResetPasswordError::Database(error) => error.into(),
        }
    }
}

impl Refuses for ManageUserError {
    const CODES: Codes = &[&Code::UnknownUser, &Code::LastAdministrator];
}

impl From<ManageUserError> for Problem {
    fn from(error: ManageUserError) -> Self {
        match error {
            ManageUserError::Unknown => Code::UnknownUser.into(),
            ManageUserError::LastAdministrator => Code::LastAdministrator.into(),
            ManageUserError::Database(error) => error.into(),
        }
    }
}

impl From<EndSessionError> for Problem {
    fn from(error: EndSessionError) -> Self {
        match error {
            EndSessionError::Unknown => Self::new(Code::NotYours, "There is no such session of yours."),
            EndSessionError::Database(error) => error.into(),
        }
    }
}

impl From<AddressBookError> for Problem {
    fn from(error: AddressBookError) -> Self {
        match error {
            AddressBookError::Unknown => {
                Self::new(Code::NotYours, "There is no such address in your address book.")
            }
            AddressBookError::Full => Code::LimitReached.into(),
            AddressBookError::Database(error) => error.into(),
        }
    }
}

fn too_common(field: &'static str) -> Problem {
    Problem::invalid_field(field, "is one of the first that anybody would guess; choose another")
        .with_code(Code::PasswordTooCommon)
}

fn too_many(seconds: u32) -> Problem {
    let detail = "Too many wrong passwords, or too many attempts; wait before the next one.";
    Problem::new(Code::TooManyAttempts, detail).retry_after(seconds)
}

fn too_many_mails(seconds: u32) -> Problem {
    let detail = "Too many e-mails were asked for; wait before the next one.";
    Problem::new(Code::TooManyMails, detail).retry_after(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_documented() {
        let faults = testkit::undocumented::<crate::UserService>(Code::ALL, &[]);
        assert!(faults.is_empty(), "{faults:#?}");
    }
}
