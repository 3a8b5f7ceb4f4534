//! Someone opens a session.

use chassis::{
    Claims,
    auth::{AUDIENCE, ISSUER},
    http::ClientAddr,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::hash::{HashError, Party};
use crate::{
    App,
    domain::{ACCESS_LIFETIME, Account, Email, GivenPassword, Grant, Limit, new_salt},
    store::{
        accounts::{self, Login},
        sessions::{self, NewSession},
    },
};

/// What someone logs in with.
pub struct Credentials {
    /// The account's e-mail address, in any case.
    pub email: Email,
    /// The account's password.
    pub password: GivenPassword,
}

/// Where someone logs in.
pub struct Device {
    /// Its address, as far as it can be believed.
    pub address: ClientAddr,
    /// What it says it is.
    pub user_agent: Option<String>,
}

/// Why nobody was logged in.
#[derive(Debug, thiserror::Error)]
pub enum LogInError {
    /// There is no such account, or the password is another one: nobody learns which.
    #[error("the e-mail address or the password is wrong")]
    WrongCredentials,
    /// Too many failures or logins; the next attempt is welcome after some seconds.
    #[error("too many attempts")]
    TooMany(u32),
    /// The password was not hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The token was not signed.
    #[error(transparent)]
    Sign(#[from] jsonwebtoken::errors::Error),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Opens a session for who knows the password.
///
/// Failures are asked for before the password is looked at, which is dear, and counted after: of many attempts at
/// once no more get an answer than of as many one after the other.
pub async fn log_in(app: &App, credentials: Credentials, device: Device) -> Result<Grant, LogInError> {
    let limits = app.limits.of_login(credentials.email.as_str(), device.address);
    refuse_if_limited(app, &limits.failure).await?;
    refuse_if_limited(app, &limits.success).await?;
    let mut db = app.db.acquire().await?;
    let login = accounts::find_login(&mut db, credentials.email.as_str()).await?;
    drop(db);
    let stored = login.as_ref().map(|login| login.password_hash.clone());
    let party = Party::Network(device.address.network());
    let right = app.hasher.verify(party, credentials.password, stored).await?;
    let Some(login) = login.filter(|_| right) else {
        let wait = app.counters.increment(&limits.failure).await;
        return Err(wait.map_or(LogInError::WrongCredentials, LogInError::TooMany));
    };
    refuse_if_limited(app, &limits.failure).await?;
    if let Some(wait) = app.counters.increment(&limits.success).await {
        return Err(LogInError::TooMany(wait));
    }
    open_session(app, &login, device.user_agent.as_deref()).await
}

async fn refuse_if_limited(app: &App, limits: &[Limit]) -> Result<(), LogInError> {
    app.counters.find_wait(limits).await.map_or(Ok(()), |wait| Err(LogInError::TooMany(wait)))
}

async fn open_session(app: &App, login: &Login, user_agent: Option<&str>) -> Result<Grant, LogInError> {
    let (sid, salt) = (Uuid::new_v4(), new_salt());
    let refresh_token = app.refresh.token(&salt, 1);
    let access_token = sign(app, sid, &login.account)?;
    let session = NewSession {
        user_id: login.account.id,
        password_hash: &login.password_hash,
        sid,
        salt: &salt,
        user_agent,
        first_token: &refresh_token.hash(),
    };
    let opened = sessions::insert_session(&mut *app.db.acquire().await?, &session).await?;
    if opened { Ok(Grant { access_token, refresh_token }) } else { Err(LogInError::WrongCredentials) }
}

/// An access token of a session.
pub(super) fn sign(app: &App, sid: Uuid, account: &Account) -> Result<String, jsonwebtoken::errors::Error> {
    let now = OffsetDateTime::now_utc();
    app.tokens.sign(&Claims {
        user_id: account.id,
        email: account.email.clone(),
        username: account.username.clone(),
        role: account.role,
        sid: sid.to_string(),
        iat: now.unix_timestamp(),
        exp: (now + ACCESS_LIFETIME).unix_timestamp(),
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
    })
}
