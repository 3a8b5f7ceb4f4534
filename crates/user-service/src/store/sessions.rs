//! The tables `sessions` and `refresh_tokens`: each session has a chain of tokens, of which the newest counts.

use chassis::{Role, auth::StaffRole};
use contracts::{SessionId, UserId};
use sqlx::{PgConnection, Result};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{Account, CHAIN_LENGTH, MAX_SESSIONS, REFRESH_LIFETIME, SESSION_LIFETIME, Session};

/// A session that is yet to be stored.
pub struct NewSession<'a> {
    pub user_id: UserId,
    /// The PHC string of the password that opened it: if another is stored by now, no session is opened.
    pub password_hash: &'a str,
    /// The `sid` claim of its access tokens.
    pub sid: Uuid,
    /// What its refresh tokens are made of.
    pub salt: &'a [u8],
    pub user_agent: Option<&'a str>,
    /// SHA-256 of the first refresh token.
    pub first_token: &'a [u8],
}

/// A refresh token that was given out, with its session.
pub struct StoredToken {
    pub session: SessionId,
    /// The `sid` claim of the session's access tokens.
    pub sid: Uuid,
    /// What the session's refresh tokens are made of.
    pub salt: Vec<u8>,
    /// The token's place in the chain.
    pub n: i32,
    /// When it was exchanged for its successor.
    pub used_at: Option<OffsetDateTime>,
    /// The hash of the token after it, if that was given out.
    pub successor: Option<Vec<u8>>,
    pub now: OffsetDateTime,
    pub account: Account,
}

/// Stores a session with its first refresh token, unless the password was changed or the account disabled meanwhile. It locks the account: a
/// change of the password and other logins wait for the end of the transaction, or this for theirs.
pub async fn insert_session(db: &mut PgConnection, new: &NewSession<'_>) -> Result<bool> {
    let done = sqlx::query!(
        "with account as (
             select id from users where id = $1 and password_hash = $2 and disabled_at is null
             for no key update
         ), session as (
             insert into sessions (user_id, sid, salt, user_agent, expires_at)
             select id, $3, $4, $5, now() + make_interval(secs => $7) from account
             returning id
         )
         insert into refresh_tokens (session_id, n, token_hash) select id, 1, $6 from session",
        new.user_id.get(),
        new.password_hash,
        new.sid,
        new.salt,
        new.user_agent,
        new.first_token,
        REFRESH_LIFETIME.as_seconds_f64()
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Whose session this is, if it lives.
pub async fn find_live_session(db: &mut PgConnection, sid: Uuid) -> Result<Option<(SessionId, Account)>> {
    let row = sqlx::query!(
        r#"select s.id as "session: SessionId", u.id as "id: UserId", u.username, u.email,
                  u.email_verified_at is not null as "email_verified!", u.role as "role: Role",
                  u.staff_roles as "staff_roles: Vec<StaffRole>", u.created_at
           from sessions s join users u on u.id = s.user_id
           where s.sid = $1 and s.expires_at > now()"#,
        sid
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| {
        let account = Account {
            id: row.id,
            username: row.username,
            email: row.email,
            email_verified: row.email_verified,
            role: row.role,
            staff_roles: row.staff_roles,
            created_at: row.created_at,
        };
        (row.session, account)
    }))
}

pub async fn find_token(db: &mut PgConnection, token_hash: &[u8]) -> Result<Option<StoredToken>> {
    let row = sqlx::query!(
        r#"select s.id as "session: SessionId", s.sid, s.salt, t.n, t.used_at, now() as "now!",
                  (select token_hash from refresh_tokens where session_id = s.id and n = t.n + 1) as successor,
                  u.id as "id: UserId", u.username, u.email, u.email_verified_at is not null as "email_verified!",
                  u.role as "role: Role", u.staff_roles as "staff_roles: Vec<StaffRole>", u.created_at
           from refresh_tokens t
           join sessions s on s.id = t.session_id
           join users u on u.id = s.user_id
           where t.token_hash = $1 and s.expires_at > now()"#,
        token_hash
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| StoredToken {
        session: row.session,
        sid: row.sid,
        salt: row.salt,
        n: row.n,
        used_at: row.used_at,
        successor: row.successor,
        now: row.now,
        account: Account {
            id: row.id,
            username: row.username,
            email: row.email,
            email_verified: row.email_verified,
            role: row.role,
            staff_roles: row.staff_roles,
            created_at: row.created_at,
        },
    }))
}

/// Spends the token and stores its successor, unless someone just did; returns whether the session still lives and still
/// has this chain. The session is locked before its tokens, in the order in which a deletion locks them.
pub async fn rotate_refresh_chain(
    db: &mut PgConnection,
    token: &StoredToken,
    successor: &[u8],
) -> Result<bool> {
    sqlx::query_scalar!(
        r#"with session as (
               update sessions
               set last_used_at = now(),
                   expires_at = least(now() + make_interval(secs => $4), created_at + make_interval(secs => $5))
               where id = $1 and sid = $6 and created_at + make_interval(secs => $5) > now()
               returning id
           ), spent as (
               update refresh_tokens t set used_at = now() from session
               where t.session_id = session.id and t.n = $2 and t.used_at is null
               returning t.session_id, t.n
           ), next as (
               insert into refresh_tokens (session_id, n, token_hash) select session_id, n + 1, $3 from spent
           ), oldest as (
               delete from refresh_tokens t using session
               where t.session_id = session.id and t.n <= $2 + 1 - $7
           )
           select exists (select from session) as "lives!""#,
        token.session.get(),
        token.n,
        successor,
        REFRESH_LIFETIME.as_seconds_f64(),
        SESSION_LIFETIME.as_seconds_f64(),
        token.sid,
        CHAIN_LENGTH
    )
    .fetch_one(db)
    .await
}

/// Gives a living session another `sid` and another chain, which begins with `first_token`. Returns the `sid` that it had.
pub async fn replace_refresh_chain(
    db: &mut PgConnection,
    id: SessionId,
    sid: Uuid,
    salt: &[u8],
    first_token: &[u8],
) -> Result<Option<Uuid>> {
    let old = sqlx::query_scalar!(
        "with old as (
             select id, sid from sessions where id = $1 and expires_at > now() for update
         )
         update sessions s
         set sid = $2, salt = $3, last_used_at = now(),
             expires_at = least(now() + make_interval(secs => $4), created_at + make_interval(secs => $5))
         from old where s.id = old.id
         returning old.sid",
        id.get(),
        sid,
        salt,
        REFRESH_LIFETIME.as_seconds_f64(),
        SESSION_LIFETIME.as_seconds_f64()
    )
    .fetch_optional(&mut *db)
    .await?;
    if old.is_some() {
        insert_chain(db, id, first_token).await?;
    }
    Ok(old)
}

async fn insert_chain(db: &mut PgConnection, session: SessionId, first_token: &[u8]) -> Result<()> {
    sqlx::query!("delete from refresh_tokens where session_id = $1", session.get()).execute(&mut *db).await?;
    sqlx::query!(
        "insert into refresh_tokens (session_id, n, token_hash) values ($1, 1, $2)",
        session.get(),
        first_token
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The living sessions of an account, the one used last first.
pub async fn list_sessions(db: &mut PgConnection, user_id: UserId) -> Result<Vec<Session>> {
    sqlx::query_as!(
        Session,
        r#"select id as "id: SessionId", created_at, last_used_at, user_agent
           from sessions where user_id = $1 and expires_at > now()
           order by last_used_at desc, id desc limit $2"#,
        user_id.get(),
        MAX_SESSIONS
    )
    .fetch_all(db)
    .await
}

/// Deletes one session of an account; its `sid` if there was one.
pub async fn delete_session(db: &mut PgConnection, user_id: UserId, id: SessionId) -> Result<Option<Uuid>> {
    sqlx::query_scalar!(
        "delete from sessions where id = $1 and user_id = $2 returning sid",
        id.get(),
        user_id.get()
    )
    .fetch_optional(db)
    .await
}

/// Deletes all sessions of an account but one; their `sid`s.
pub async fn delete_other_sessions(
    db: &mut PgConnection,
    user_id: UserId,
    kept: SessionId,
) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "delete from sessions where user_id = $1 and id <> $2 returning sid",
        user_id.get(),
        kept.get()
    )
    .fetch_all(db)
    .await
}

/// Deletes all sessions of an account; their `sid`s.
pub async fn delete_all_sessions(db: &mut PgConnection, user_id: UserId) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!("delete from sessions where user_id = $1 returning sid", user_id.get())
        .fetch_all(db)
        .await
}

/// Deletes all living sessions of an account but the [`MAX_SESSIONS`] that were used last; their `sid`s. The account is
/// locked by [`insert_session`].
pub async fn delete_surplus_sessions(db: &mut PgConnection, user_id: UserId) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "delete from sessions where id in (
             select id from sessions where user_id = $1 and expires_at > now()
             order by last_used_at desc, id desc offset $2
         )
         returning sid",
        user_id.get(),
        MAX_SESSIONS
    )
    .fetch_all(db)
    .await
}

/// Deletes at most so many sessions that were not refreshed in time, and returns how many.
pub async fn delete_expired_sessions(db: &mut PgConnection, most: i64) -> Result<u64> {
    let done = sqlx::query!(
        "delete from sessions where id in (
             select id from sessions where expires_at <= now() order by expires_at limit $1 for update skip locked
         )",
        most
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Deletes at most so many refresh tokens that were spent so long ago that they have expired too; returns how many.
pub async fn delete_expired_tokens(db: &mut PgConnection, most: i64) -> Result<u64> {
    let done = sqlx::query!(
        "delete from refresh_tokens where (session_id, n) in (
             select session_id, n from refresh_tokens
             where used_at <= now() - make_interval(secs => $2) order by used_at limit $1 for update skip locked
         )",
        most,
        REFRESH_LIFETIME.as_seconds_f64()
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
