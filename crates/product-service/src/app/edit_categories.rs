//! Categories come, are renamed and go.

use chassis::database::commit;
use contracts::CategoryId;

use crate::{AppState, app::violates, domain::catalogue::Category, store};

#[derive(Debug, thiserror::Error)]
pub enum EditCategoryError {
    #[error("unknown category")]
    Unknown,
    #[error("the name is taken")]
    NameTaken,
    #[error("the category is not empty")]
    NotEmpty,
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
}

impl From<sqlx::Error> for EditCategoryError {
    fn from(error: sqlx::Error) -> Self {
        if violates(&error, "categories_name_key") {
            Self::NameTaken
        } else if violates(&error, "product_categories_category_fkey") {
            Self::NotEmpty
        } else {
            Self::Database(error)
        }
    }
}

/// Makes a category.
///
/// # Errors
/// If the name is taken.
pub async fn create_category(state: &AppState, name: &str) -> Result<Category, EditCategoryError> {
    let mut db = state.db.acquire().await?;
    let category = store::insert_category(&mut db, name).await?;
    state.catalogue_changed(&[]).await;
    Ok(category)
}

/// Gives a category another name.
///
/// # Errors
/// If there is no such category or the name is taken.
pub async fn rename_category(
    state: &AppState,
    id: CategoryId,
    name: &str,
) -> Result<Category, EditCategoryError> {
    let mut tx = state.db.begin().await?;
    if !store::update_category(&mut tx, id, name).await? {
        return Err(EditCategoryError::Unknown);
    }
    let category = store::find_category(&mut tx, id).await?.ok_or(EditCategoryError::Unknown)?;
    commit(tx).await?;
    state.catalogue_changed(&[]).await;
    Ok(category)
}

/// Removes a category, and returns what it was.
///
/// # Errors
/// If there is no such category or products belong to it.
pub async fn delete_category(state: &AppState, id: CategoryId) -> Result<Category, EditCategoryError> {
    let mut tx = state.db.begin().await?;
    let category = store::find_category(&mut tx, id).await?.ok_or(EditCategoryError::Unknown)?;
    if !store::delete_category(&mut tx, id).await? {
        return Err(EditCategoryError::Unknown);
    }
    commit(tx).await?;
    state.catalogue_changed(&[]).await;
    Ok(category)
}
