//! The table `users`, as administrators see it.

use chassis::{Role, auth::StaffRole};
use contracts::UserId;
use sqlx::{PgConnection, Result};

use crate::domain::{User, UserChange};

/// Which accounts a list shows.
#[derive(Clone, Copy)]
pub struct Filter<'a> {
    /// Only those with this in their name or address, in any case.
    pub search: Option<&'a str>,
    pub role: Option<Role>,
    /// Only those who run this.
    pub staff_role: Option<StaffRole>,
    pub disabled: Option<bool>,
}

/// A part of the accounts that a filter lets through, newest first.
pub async fn list_users(
    db: &mut PgConnection,
    filter: Filter<'_>,
    limit: i64,
    offset: i64,
) -> Result<Vec<User>> {
    sqlx::query_as!(
        User,
        r#"select id as "id: UserId", username, email, email_verified_at is not null as "email_verified!",
                  role as "role: Role", staff_roles as "staff_roles: Vec<StaffRole>", disabled_at, created_at
           from users
           where ($1::text is null or position(lower($1) in lower(username)) > 0
                                   or position(lower($1) in lower(email)) > 0)
               and ($2::text is null or role = $2) and ($3::text is null or $3 = any(staff_roles))
               and ($4::boolean is null or (disabled_at is not null) = $4)
           order by id desc limit $5 offset $6"#,
        filter.search,
        filter.role as Option<Role>,
        filter.staff_role as Option<StaffRole>,
        filter.disabled,
        limit,
        offset
    )
    .fetch_all(db)
    .await
}

/// How many accounts a filter lets through.
pub async fn count_users(db: &mut PgConnection, filter: Filter<'_>) -> Result<i64> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from users
           where ($1::text is null or position(lower($1) in lower(username)) > 0
                                   or position(lower($1) in lower(email)) > 0)
               and ($2::text is null or role = $2) and ($3::text is null or $3 = any(staff_roles))
               and ($4::boolean is null or (disabled_at is not null) = $4)"#,
        filter.search,
        filter.role as Option<Role>,
        filter.staff_role as Option<StaffRole>,
        filter.disabled
    )
    .fetch_one(db)
    .await
}

pub async fn find_user(db: &mut PgConnection, id: UserId) -> Result<Option<User>> {
    sqlx::query_as!(
        User,
        r#"select id as "id: UserId", username, email, email_verified_at is not null as "email_verified!",
                  role as "role: Role", staff_roles as "staff_roles: Vec<StaffRole>", disabled_at, created_at
           from users where id = $1"#,
        id.get()
    )
    .fetch_optional(db)
    .await
}

/// Changes what is given of an account.
pub async fn update_user(db: &mut PgConnection, id: UserId, change: &UserChange) -> Result<User> {
    let staff_roles: Option<Vec<&str>> =
        change.staff_roles.as_ref().map(|roles| roles.iter().map(|role| role.as_str()).collect());
    sqlx::query_as!(
        User,
        r#"update users
           set role = coalesce($2, role), staff_roles = coalesce($3, staff_roles),
               disabled_at = case when $4 then coalesce(disabled_at, now()) when not $4 then null else disabled_at end
           where id = $1
           returning id as "id: UserId", username, email, email_verified_at is not null as "email_verified!",
                     role as "role: Role", staff_roles as "staff_roles: Vec<StaffRole>", disabled_at, created_at"#,
        id.get(),
        change.role as Option<Role>,
        staff_roles.as_deref() as Option<&[&str]>,
        change.disabled
    )
    .fetch_one(db)
    .await
}

/// Makes changes of who runs the shop take turns, until the end of the transaction: two that come at once could else take
/// the last two administrators.
pub async fn lock_staff(db: &mut PgConnection) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(hashtext('user-service staff')) as lock")
        .fetch_one(db)
        .await?;
    Ok(())
}

/// Whether there is an administrator who can log in.
pub async fn find_active_admin(db: &mut PgConnection) -> Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from users where role = 'admin' and disabled_at is null) as "exists!""#
    )
    .fetch_one(db)
    .await
}

/// Replaces the password of an account, whatever it was.
pub async fn replace_password(db: &mut PgConnection, id: UserId, password_hash: &str) -> Result<()> {
    sqlx::query!("update users set password_hash = $2 where id = $1", id.get(), password_hash)
        .execute(db)
        .await?;
    Ok(())
}
