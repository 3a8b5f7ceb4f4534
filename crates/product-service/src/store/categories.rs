//! Categories, and which products belong to them.

use contracts::CategoryId;
use sqlx::PgConnection;

use crate::domain::catalogue::{Category, name_key};

pub async fn list_categories(db: &mut PgConnection) -> sqlx::Result<Vec<Category>> {
    sqlx::query_as!(
        Category,
        r#"select id as "id: CategoryId", name, product_count, created_at, updated_at
           from categories
           order by name_key"#,
    )
    .fetch_all(db)
    .await
}

pub async fn find_category(db: &mut PgConnection, id: CategoryId) -> sqlx::Result<Option<Category>> {
    sqlx::query_as!(
        Category,
        r#"select id as "id: CategoryId", name, product_count, created_at, updated_at
           from categories
           where id = $1"#,
        id.get(),
    )
    .fetch_optional(db)
    .await
}

/// Those of the categories that exist. They stay until the end of the transaction.
pub async fn lock_categories(db: &mut PgConnection, ids: &[CategoryId]) -> sqlx::Result<Vec<CategoryId>> {
    let ids: Vec<i64> = ids.iter().map(|id| id.get()).collect();
    sqlx::query_scalar!(
        r#"select id as "id: CategoryId" from categories where id = any($1) order by id for key share"#,
        &ids,
    )
    .fetch_all(db)
    .await
}

pub async fn insert_category(db: &mut PgConnection, name: &str) -> sqlx::Result<Category> {
    sqlx::query_as!(
        Category,
        r#"insert into categories (name, name_key) values ($1, $2)
           returning id as "id: CategoryId", name, product_count, created_at, updated_at"#,
        name,
        name_key(name),
    )
    .fetch_one(db)
    .await
}

/// Another name. Returns whether there is such a category.
pub async fn update_category(db: &mut PgConnection, id: CategoryId, name: &str) -> sqlx::Result<bool> {
    let updated = sqlx::query!(
        "update categories set name = $2, name_key = $3, updated_at = now() where id = $1",
        id.get(),
        name,
        name_key(name)
    );
    Ok(updated.execute(db).await?.rows_affected() == 1)
}

/// Removes a category without products. Returns whether there was one.
pub async fn delete_category(db: &mut PgConnection, id: CategoryId) -> sqlx::Result<bool> {
    let deleted = sqlx::query!("delete from categories where id = $1", id.get()).execute(db).await?;
    Ok(deleted.rows_affected() == 1)
}
