//! E-mails about accounts, as user-service gives them at the moment in which they are sent.

use secrecy::SecretString;
use time::OffsetDateTime;
use uuid::Uuid;

/// What an e-mail about an account says. Nobody can do without them: they are about who owns the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountMailKind {
    /// Show that the account's address is yours.
    VerifyEmail,
    /// Choose another password.
    ResetPassword,
    /// Show that this address is yours, and it becomes the account's.
    ConfirmEmail,
    /// The account has another address from now on.
    EmailChanged,
    /// Somebody logged in on a device that was not known.
    NewLogin,
}

impl AccountMailKind {
    pub const ALL: [Self; 5] =
        [Self::VerifyEmail, Self::ResetPassword, Self::ConfirmEmail, Self::EmailChanged, Self::NewLogin];

    /// As in the names of templates.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::ConfirmEmail => "confirm_email",
            Self::EmailChanged => "email_changed",
            Self::NewLogin => "new_login",
        }
    }

    /// What its reader is asked to do, as the page that it leads to calls it.
    pub const fn action(self) -> Option<&'static str> {
        match self {
            Self::VerifyEmail | Self::ConfirmEmail => Some("verify-email"),
            Self::ResetPassword => Some("reset-password"),
            Self::EmailChanged | Self::NewLogin => None,
        }
    }
}

/// An e-mail about an account, for one attempt to send it. Neither kept nor logged.
#[derive(Clone)]
pub struct AccountMail {
    pub id: Uuid,
    pub kind: AccountMailKind,
    pub name: String,
    /// Where it goes, which need not be the account's address.
    pub email: String,
    /// What proves that its reader reads this address.
    pub token: Option<SecretString>,
    pub requested_at: OffsetDateTime,
    /// What the client of a new login called itself.
    pub device: Option<String>,
}
