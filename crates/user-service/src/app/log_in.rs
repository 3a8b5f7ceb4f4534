//! Someone opens a session, by the password of the account.

use chassis::{
    Claims,
    auth::{AUDIENCE, ISSUER},
    http::ClientAddr,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{end_sessions::commit_ended, request_mail::notify_of_login};
use crate::{
    AppState,
    domain::{ACCESS_LIFETIME, Account, Device, Email, GivenPassword, Grant, Limit, new_salt},
    hasher::{HashError, Party},
    store::{
        accounts::{self, Login},
        emails,
        sessions::{self, NewSession},
    },
};

pub struct Credentials {
    /// The account's e-mail address, in any case.
    pub email: Email,
    pub password: GivenPassword,
    /// What an earlier login on this device gave; another account's counts as none.
    pub device_token: Option<String>,
}

pub struct Client {
    /// Its address, as far as it can be believed.
    pub address: ClientAddr,
    /// The User-Agent header, cut to what the session list shows.
    pub user_agent: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum LogInError {
    /// There is no such account, or the password is another one: nobody learns which.
    #[error("the e-mail address or the password is wrong")]
    WrongCredentials,
    /// The password is right, but nobody may log in with the account any more.
    #[error("the account is disabled")]
    Disabled,
    /// Too many failures or logins; the next attempt is welcome after some seconds.
    #[error("too many attempts")]
    TooMany(u32),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Sign(#[from] jsonwebtoken::errors::Error),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Opens a session for whoever shows the password.
///
/// Failures are looked up before the password is verified, which is expensive, and counted after: of many attempts at
/// the same time no more get an answer than of as many one after the other.
pub async fn log_in(state: &AppState, credentials: Credentials, client: Client) -> Result<Grant, LogInError> {
    let email = credentials.email.as_str();
    let mut db = state.db.acquire().await?;
    let login = accounts::find_login(&mut db, email).await?;
    drop(db);
    let device = known_device(state, login.as_ref(), credentials.device_token.as_deref());
    let limits = state.limits.of_login(email, client.address, device.as_ref());
    refuse_if_limited(state, &limits.failure).await?;
    refuse_if_limited(state, &limits.success).await?;
    let party =
        device.map_or(Party::Network(client.address.network()), |device| Party::Account(device.account()));
    let stored = login.as_ref().map(|login| login.password_hash.clone());
    let right = state.hasher.verify(party, credentials.password, stored).await?;
    let Some(login) = login.filter(|_| right) else {
        let wait = state.counters.increment(&limits.failure).await;
        return Err(wait.map_or(LogInError::WrongCredentials, LogInError::TooMany));
    };
    refuse_if_limited(state, &limits.failure).await?;
    if login.is_disabled {
        return Err(LogInError::Disabled);
    }
    if let Some(wait) = state.counters.increment(&limits.success).await {
        return Err(LogInError::TooMany(wait));
    }
    open_session(state, &login, device, client.user_agent.as_deref()).await
}

/// The device, if the token is a genuine one of the account. Without an account it takes as long to know that it is not.
fn known_device(state: &AppState, login: Option<&Login>, token: Option<&str>) -> Option<Device> {
    let stored = login.map_or("", |login| &login.password_hash);
    let device = state.devices.verify(token?, stored)?;
    login.filter(|login| device.is_known_to(login.account.id, login.now)).map(|_| device)
}

async fn refuse_if_limited(state: &AppState, limits: &[Limit]) -> Result<(), LogInError> {
    state.counters.find_wait(limits).await.map_or(Ok(()), |wait| Err(LogInError::TooMany(wait)))
}

async fn open_session(
    state: &AppState,
    login: &Login,
    known: Option<Device>,
    user_agent: Option<&str>,
) -> Result<Grant, LogInError> {
    let (sid, salt) = (Uuid::new_v4(), new_salt());
    let refresh_token = state.refresh.token(&salt, 1);
    let access_token = sign(state, sid, &login.account)?;
    let session = NewSession {
        user_id: login.account.id,
        password_hash: &login.password_hash,
        sid,
        salt: &salt,
        user_agent,
        first_token: &refresh_token.hash(),
    };
    let is_noteworthy = known.is_none() && has_few_notices(state, &login.account).await;
    let mut tx = state.db.begin().await?;
    if !sessions::insert_session(&mut tx, &session).await? {
        return Err(LogInError::WrongCredentials);
    }
    let is_first = emails::record_first_login(&mut tx, login.account.id).await?;
    if is_noteworthy && !is_first {
        notify_of_login(state, &mut tx, (login.account.id, &login.account.email), user_agent).await?;
    }
    let ended = sessions::delete_surplus_sessions(&mut tx, login.account.id).await?;
    commit_ended(state, tx, ended).await?;
    let device =
        known.map_or_else(|| Device::new(login.account.id, login.now), |device| device.renewed(login.now));
    let device_token = Some(state.devices.token(device, &login.password_hash));
    Ok(Grant { access_token, refresh_token, device_token })
}

/// Of very many logins on new devices only the first ones are worth a message each.
async fn has_few_notices(state: &AppState, account: &Account) -> bool {
    state.counters.increment(&state.limits.of_login_notice(account.id)).await.is_none()
}

/// An access token of a session.
pub(super) fn sign(
    state: &AppState,
    sid: Uuid,
    account: &Account,
) -> Result<String, jsonwebtoken::errors::Error> {
    let now = OffsetDateTime::now_utc();
    state.tokens.sign(&Claims {
        user_id: account.id,
        email: account.email.clone(),
        username: account.username.clone(),
        role: account.role,
        roles: account.staff_roles.iter().map(ToString::to_string).collect(),
        email_verified: account.email_verified,
        sid: sid.to_string(),
        iat: now.unix_timestamp(),
        exp: (now + ACCESS_LIFETIME).unix_timestamp(),
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
    })
}
