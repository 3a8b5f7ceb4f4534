//! The shop gets someone who runs it.

use chassis::{Role, database::commit};
use sqlx::PgTransaction;
use uuid::Uuid;

use super::{Taken, taken::RequestedNames};
use crate::{
    AppState,
    config::FirstAdmin,
    domain::{Email, Username},
    hasher::{HashError, Party},
    store::accounts,
};

const USERNAME: &str = "admin";

#[derive(Debug, thiserror::Error)]
pub enum MakeFirstAdminError {
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Makes the administrator of the configuration if there is none at all. Later runs change nothing, and replicas
/// that start together make one.
pub async fn make_first_admin(state: &AppState) -> Result<(), MakeFirstAdminError> {
    if accounts::find_any_admin(&mut *state.db.acquire().await?).await? {
        return Ok(());
    }
    let Some(admin) = state.first_admin.clone() else {
        tracing::warn!(
            "there is no administrator: set ADMIN_EMAIL and ADMIN_PASSWORD and restart to have one"
        );
        return Ok(());
    };
    let password_hash = state.hasher.hash(Party::Shop, admin.password.clone()).await?;
    let mut tx = state.db.begin().await?;
    accounts::lock_first_run(&mut tx).await?;
    if accounts::find_any_admin(&mut tx).await? {
        return Ok(());
    }
    let Some(username) = free_username(&mut tx, &admin.email).await? else {
        tracing::error!("no administrator was made: a customer has ADMIN_EMAIL, choose another");
        return Ok(());
    };
    let (name, email) = (username.as_str(), admin.email.as_str());
    // Whoever runs the shop named the address.
    accounts::insert_account(&mut tx, name, email, &password_hash, Role::Admin, true).await?;
    commit(tx).await?;
    report(&admin, &username);
    Ok(())
}

/// A name for the administrator that nobody has, or none if somebody has the e-mail address.
async fn free_username(tx: &mut PgTransaction<'_>, email: &Email) -> sqlx::Result<Option<Username>> {
    let mut username = Username::new(USERNAME);
    loop {
        match RequestedNames::both(&username, email).lock_and_find_taken(tx, None).await? {
            None => return Ok(Some(username)),
            Some(Taken::Email) => return Ok(None),
            Some(Taken::Username) => {
                // Nobody can take it in advance.
                username = Username::new(&format!("{USERNAME}-{}", Uuid::new_v4().simple()));
            }
        }
    }
}

fn report(admin: &FirstAdmin, username: &Username) {
    if username.as_str() != USERNAME {
        tracing::warn!(
            username = username.as_str(),
            "a customer has the name `{USERNAME}`: the administrator has another one"
        );
    }
    if admin.well_known {
        tracing::warn!(
            "MADE THE ADMINISTRATOR THAT THE README NAMES, WHOSE PASSWORD EVERYBODY KNOWS: change it before anyone \
             else can reach this shop"
        );
    } else {
        tracing::info!("administrator was made as ADMIN_EMAIL names it");
    }
}
