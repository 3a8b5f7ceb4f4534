//! An administrator sees to accounts: who there is, who may do what, who is shut out.

use chassis::http::Page;
use contracts::UserId;

use super::end_sessions::commit_ended;
use crate::{
    AppState,
    domain::{MailKind, User, UserChange},
    store::{
        account_mails,
        directory::{self, Filter},
        sessions,
    },
};

#[derive(Debug, thiserror::Error)]
pub enum ManageUserError {
    #[error("no such account")]
    Unknown,
    /// Nobody could run the shop any more.
    #[error("the last administrator")]
    LastAdministrator,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// A page of accounts, and how many there are.
pub struct Users {
    pub page: Vec<User>,
    pub total: i64,
}

/// The accounts that a filter lets through, newest first.
pub async fn list_users(state: &AppState, filter: Filter<'_>, page: Page) -> sqlx::Result<Users> {
    let mut db = state.db.acquire().await?;
    let found = directory::list_users(&mut db, filter, page.limit, page.offset()).await?;
    let total = directory::count_users(&mut db, filter).await?;
    Ok(Users { page: found, total })
}

pub async fn find_user(state: &AppState, id: UserId) -> Result<User, ManageUserError> {
    let found = directory::find_user(&mut *state.db.acquire().await?, id).await?;
    found.ok_or(ManageUserError::Unknown)
}

/// Changes what an account may do. Whoever may less than before is logged out everywhere: tokens say what somebody may.
pub async fn change_user(
    state: &AppState,
    id: UserId,
    change: &UserChange,
    actor: UserId,
) -> Result<User, ManageUserError> {
    let mut tx = state.db.begin().await?;
    directory::lock_staff(&mut tx).await?;
    let before = directory::find_user(&mut tx, id).await?.ok_or(ManageUserError::Unknown)?;
    let after = directory::update_user(&mut tx, id, change).await?;
    if !directory::find_active_admin(&mut tx).await? {
        return Err(ManageUserError::LastAdministrator);
    }
    let mut ended = Vec::new();
    if after.may_less_than(&before) {
        account_mails::delete_tokens(&mut tx, id, &MailKind::WITH_TOKEN).await?;
        ended = sessions::delete_all_sessions(&mut tx, id).await?;
    }
    commit_ended(state, tx, ended).await?;
    tracing::info!(
        actor.id = %actor, user.id = %id, role = ?after.role, staff_roles = ?after.staff_roles,
        disabled = after.disabled_at.is_some(), "account was changed by an administrator"
    );
    Ok(after)
}

/// Logs somebody out everywhere.
pub async fn end_all_sessions(state: &AppState, id: UserId, actor: UserId) -> Result<(), ManageUserError> {
    let mut tx = state.db.begin().await?;
    directory::find_user(&mut tx, id).await?.ok_or(ManageUserError::Unknown)?;
    let ended = sessions::delete_all_sessions(&mut tx, id).await?;
    let count = ended.len();
    commit_ended(state, tx, ended).await?;
    tracing::info!(actor.id = %actor, user.id = %id, count, "sessions were ended by an administrator");
    Ok(())
}
