//! The table `users`: accounts, their password hashes, and who may have which name.

use chassis::{Role, auth::StaffRole};
use contracts::UserId;
use sqlx::{PgConnection, Result};
use time::OffsetDateTime;

use crate::domain::Account;

/// What a login is decided by, and the claims of its token.
pub struct Login {
    pub account: Account,
    /// Argon2id with its parameters and its salt, as a PHC string.
    pub password_hash: String,
    /// Whether nobody may log in any more.
    pub is_disabled: bool,
    pub now: OffsetDateTime,
}

/// What a message to somebody needs. Its fields go to nobody else, and into no log.
pub struct Contact {
    pub name: String,
    pub email: String,
    /// Of the default address.
    pub phone: Option<String>,
}

pub struct TakenNames {
    pub username: bool,
    pub email: bool,
}

/// Locks names, whether anyone has them or not, until the end of the transaction. The locks are taken in one order, so that
/// transactions do not deadlock.
pub async fn lock_names(db: &mut PgConnection, username: Option<&str>, email: Option<&str>) -> Result<()> {
    sqlx::query!(
        "select pg_advisory_xact_lock(key) as lock
         from (
             select hashtextextended('username ' || lower($1), 0)
             union select hashtextextended('email ' || lower($2), 0)
             order by 1
         ) as names (key)",
        username,
        email
    )
    .fetch_all(db)
    .await?;
    Ok(())
}

pub async fn find_taken(
    db: &mut PgConnection,
    username: Option<&str>,
    email: Option<&str>,
    own: Option<UserId>,
) -> Result<TakenNames> {
    sqlx::query_as!(
        TakenNames,
        r#"select exists (
                      select from users where lower(username) = lower($1) and id is distinct from $3
                  ) as "username!",
                  exists (select from users where lower(email) = lower($2) and id is distinct from $3) as "email!""#,
        username,
        email,
        own.map(UserId::get)
    )
    .fetch_one(db)
    .await
}

/// Adds an account that never logged in. Its names were looked for under [`lock_names`].
pub async fn insert_account(
    db: &mut PgConnection,
    username: &str,
    email: &str,
    password_hash: &str,
    role: Role,
    email_verified: bool,
) -> Result<Account> {
    sqlx::query_as!(
        Account,
        r#"insert into users (username, email, password_hash, role, email_verified_at, has_logged_in)
           values ($1, $2, $3, $4, case when $5 then now() end, false)
           returning id as "id: UserId", username, email, email_verified_at is not null as "email_verified!",
                     role as "role: Role", staff_roles as "staff_roles: Vec<StaffRole>", created_at"#,
        username,
        email,
        password_hash,
        role as Role,
        email_verified
    )
    .fetch_one(db)
    .await
}

pub async fn find_any_admin(db: &mut PgConnection) -> Result<bool> {
    sqlx::query_scalar!(r#"select exists (select from users where role = 'admin') as "exists!""#)
        .fetch_one(db)
        .await
}

/// Makes replicas that start together take turns until the end of the transaction.
pub async fn lock_first_run(db: &mut PgConnection) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(hashtext('user-service first run')) as lock")
        .fetch_one(db)
        .await?;
    Ok(())
}

/// The account of an e-mail address.
pub async fn find_login(db: &mut PgConnection, email: &str) -> Result<Option<Login>> {
    let row = sqlx::query!(
        r#"select id as "id: UserId", username, email, email_verified_at is not null as "email_verified!",
                  role as "role: Role", staff_roles as "staff_roles: Vec<StaffRole>", created_at, password_hash,
                  disabled_at is not null as "is_disabled!", now() as "now!"
           from users where lower(email) = lower($1)"#,
        email
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Login {
        account: Account {
            id: row.id,
            username: row.username,
            email: row.email,
            email_verified: row.email_verified,
            role: row.role,
            staff_roles: row.staff_roles,
            created_at: row.created_at,
        },
        password_hash: row.password_hash,
        is_disabled: row.is_disabled,
        now: row.now,
    }))
}

/// How the owner of an account is reached.
pub async fn find_contact(db: &mut PgConnection, id: UserId) -> Result<Option<Contact>> {
    sqlx::query_as!(
        Contact,
        r#"select username as name, email, a.phone as "phone?"
           from users u left join addresses a on a.user_id = u.id and a.is_default
           where u.id = $1"#,
        id.get()
    )
    .fetch_optional(db)
    .await
}

/// The PHC string of an account's password.
pub async fn find_password(db: &mut PgConnection, id: UserId) -> Result<Option<String>> {
    sqlx::query_scalar!("select password_hash from users where id = $1", id.get()).fetch_optional(db).await
}

/// Changes the members that are given, if the password is still the one that was confirmed (if one was). Another address
/// is not verified. The names were looked for under [`lock_names`].
pub async fn update_profile(
    db: &mut PgConnection,
    id: UserId,
    username: Option<&str>,
    email: Option<&str>,
    confirmed: Option<&str>,
) -> Result<Option<Account>> {
    sqlx::query_as!(
        Account,
        r#"update users
           set username = coalesce($2, username), email = coalesce($3, email),
               email_verified_at =
                   case when lower(email) = lower(coalesce($3, email)) then email_verified_at end
           where id = $1 and password_hash = coalesce($4, password_hash)
           returning id as "id: UserId", username, email, email_verified_at is not null as "email_verified!",
                     role as "role: Role", staff_roles as "staff_roles: Vec<StaffRole>", created_at"#,
        id.get(),
        username,
        email,
        confirmed
    )
    .fetch_optional(db)
    .await
}

/// Replaces the password that was confirmed, if it was still there; when, by the database's clock.
pub async fn update_password(
    db: &mut PgConnection,
    id: UserId,
    confirmed: &str,
    new: &str,
) -> Result<Option<OffsetDateTime>> {
    sqlx::query_scalar!(
        r#"update users set password_hash = $3 where id = $1 and password_hash = $2 returning now() as "now!""#,
        id.get(),
        confirmed,
        new
    )
    .fetch_optional(db)
    .await
}

/// Makes the changes of one account's address book take turns.
pub async fn lock_account(db: &mut PgConnection, id: UserId) -> Result<()> {
    sqlx::query!("select from users where id = $1 for no key update", id.get()).fetch_optional(db).await?;
    Ok(())
}
