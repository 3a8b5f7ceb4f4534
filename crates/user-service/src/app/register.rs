//! Someone becomes a customer.

use chassis::http::ClientAddr;

use super::{
    Taken,
    hash::{HashError, Party},
};
use crate::{
    App,
    domain::{Account, Email, NewPassword, Username},
    store::accounts,
};

/// What someone registers with.
pub struct NewAccount {
    /// A name to be known by.
    pub username: Username,
    /// An e-mail address to log in with.
    pub email: Email,
    /// A password to log in with.
    pub password: NewPassword,
}

/// Why there is no account.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// Somebody else has the name or the address.
    #[error("{0:?} is taken")]
    Taken(Taken),
    /// Too many registrations from there; the next one is welcome after some seconds.
    #[error("too many registrations")]
    TooMany(u32),
    /// The password was not hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The database failed.
    #[error(transparent)]
    Database(sqlx::Error),
}

impl From<sqlx::Error> for RegisterError {
    fn from(error: sqlx::Error) -> Self {
        Taken::from_error(&error).map_or(Self::Database(error), Self::Taken)
    }
}

/// Makes a customer's account for someone at this address.
pub async fn register(app: &App, new: NewAccount, client: ClientAddr) -> Result<Account, RegisterError> {
    if let Some(wait) = app.counters.increment(&app.limits.of_registration(client)).await {
        return Err(RegisterError::TooMany(wait));
    }
    let password_hash = app.hasher.hash(Party::Network(client.network()), new.password).await?;
    let mut db = app.db.acquire().await?;
    Ok(accounts::insert_account(&mut db, new.username.as_str(), new.email.as_str(), &password_hash).await?)
}
