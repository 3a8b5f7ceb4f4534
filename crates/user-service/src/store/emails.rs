//! The table `users`, as e-mails to its people need it: who has an address, and what somebody showed who reads it.

use contracts::UserId;
use sqlx::{PgConnection, Result};

/// Whose account has this address, and how they write it. Nobody gets back into one that is disabled.
pub async fn find_address(db: &mut PgConnection, email: &str) -> Result<Option<(UserId, String)>> {
    let row = sqlx::query!(
        r#"select id as "id: UserId", email from users where lower(email) = lower($1) and disabled_at is null"#,
        email
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| (row.id, row.email)))
}

/// Whose account has this address, disabled or not.
pub async fn find_account(db: &mut PgConnection, email: &str) -> Result<Option<UserId>> {
    sqlx::query_scalar!(r#"select id as "id: UserId" from users where lower(email) = lower($1)"#, email)
        .fetch_optional(db)
        .await
}

pub async fn find_username(db: &mut PgConnection, id: UserId) -> Result<Option<String>> {
    sqlx::query_scalar!("select username from users where id = $1", id.get()).fetch_optional(db).await
}

/// Notes that an account's owner reads this address; whether it is still the account's.
pub async fn verify_email(db: &mut PgConnection, id: UserId, email: &str) -> Result<bool> {
    let done = sqlx::query!(
        "update users set email_verified_at = coalesce(email_verified_at, now())
         where id = $1 and lower(email) = lower($2)",
        id.get(),
        email
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Gives an account an address that its owner reads, and returns the former one. It was looked for under
/// [`lock_names`](super::accounts::lock_names).
pub async fn replace_email(db: &mut PgConnection, id: UserId, email: &str) -> Result<Option<String>> {
    sqlx::query_scalar!(
        "with former as (select id, email from users where id = $1 for no key update)
         update users u set email = $2, email_verified_at = now() from former
         where u.id = former.id
         returning former.email",
        id.get(),
        email
    )
    .fetch_optional(db)
    .await
}

/// Replaces the password of an account whose owner reads this address; whether it is still the account's.
pub async fn reset_password(
    db: &mut PgConnection,
    id: UserId,
    email: &str,
    password_hash: &str,
) -> Result<bool> {
    let done = sqlx::query!(
        "update users set password_hash = $3, email_verified_at = coalesce(email_verified_at, now())
         where id = $1 and lower(email) = lower($2)",
        id.get(),
        email,
        password_hash
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Notes that an account's owner logged in; whether that was the first time.
pub async fn record_first_login(db: &mut PgConnection, id: UserId) -> Result<bool> {
    let done =
        sqlx::query!("update users set has_logged_in = true where id = $1 and not has_logged_in", id.get())
            .execute(db)
            .await?;
    Ok(done.rows_affected() > 0)
}
