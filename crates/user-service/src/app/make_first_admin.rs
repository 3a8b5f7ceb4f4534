//! The shop gets someone who runs it.

use super::hash::{HashError, Party};
use crate::{App, store::accounts};

/// The administrator's name.
const USERNAME: &str = "admin";

/// Why it is not known whether there is an administrator.
#[derive(Debug, thiserror::Error)]
pub enum MakeFirstAdminError {
    /// The password was not hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Makes the administrator of the configuration if there is none at all. Later runs change nothing, and replicas
/// that start together make one.
pub async fn make_first_admin(app: &App) -> Result<(), MakeFirstAdminError> {
    if accounts::find_any_admin(&mut *app.db.acquire().await?).await? {
        return Ok(());
    }
    let Some(admin) = app.first_admin.clone() else {
        tracing::warn!(
            "there is no administrator: set ADMIN_EMAIL and ADMIN_PASSWORD and restart to have one"
        );
        return Ok(());
    };
    let password_hash = app.hasher.hash(Party::Shop, admin.password).await?;
    let mut tx = app.db.begin().await?;
    accounts::lock_first_run(&mut tx).await?;
    if accounts::find_any_admin(&mut tx).await? {
        return Ok(());
    }
    let made = accounts::insert_admin(&mut tx, USERNAME, admin.email.as_str(), &password_hash).await?;
    tx.commit().await?;
    if !made {
        tracing::error!("no administrator was made: a customer has ADMIN_EMAIL or the name `admin`");
    } else if admin.well_known {
        tracing::warn!(
            "MADE THE ADMINISTRATOR THAT THE README NAMES, WHOSE PASSWORD EVERYBODY KNOWS: change it before anyone \
             else can reach this shop"
        );
    } else {
        tracing::info!("made the administrator that ADMIN_EMAIL names");
    }
    Ok(())
}
