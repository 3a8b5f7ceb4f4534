//! The keys by which names are compared, where they have to be made anew. Only names with other letters than ASCII are
//! concerned: the keys of all others are the same by every rule.

use contracts::{CategoryId, ProductId};
use sqlx::PgConnection;

use crate::domain::catalogue::name_key;

/// The rule by which the stored keys were made. Other processes that call this wait for the end of the transaction.
pub async fn lock_name_key_rule(db: &mut PgConnection) -> sqlx::Result<i16> {
    sqlx::query_scalar!("select name_key_rule from catalogue_size for update").fetch_one(db).await
}

/// Records that all keys follow a rule.
pub async fn update_name_key_rule(db: &mut PgConnection, rule: i16) -> sqlx::Result<()> {
    sqlx::query!("update catalogue_size set name_key_rule = $1", rule).execute(db).await?;
    Ok(())
}

/// Products on sale whose names are not plain ASCII.
pub async fn list_foreign_products(db: &mut PgConnection) -> sqlx::Result<Vec<(ProductId, String)>> {
    let rows = sqlx::query!(
        r#"select id as "id: ProductId", name from products
           where deleted_at is null and octet_length(name) <> char_length(name)
           order by id"#
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(|row| (row.id, row.name)).collect())
}

/// Categories whose names are not plain ASCII.
pub async fn list_foreign_categories(db: &mut PgConnection) -> sqlx::Result<Vec<(CategoryId, String)>> {
    let rows = sqlx::query!(
        r#"select id as "id: CategoryId", name from categories
           where octet_length(name) <> char_length(name)
           order by id"#
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(|row| (row.id, row.name)).collect())
}

/// Makes a product's key anew. False if another product on sale has it: then the old one stays.
pub async fn update_product_key(db: &mut PgConnection, id: ProductId, name: &str) -> sqlx::Result<bool> {
    let updated = sqlx::query!(
        "update products set name_key = $2
         where id = $1 and not exists (
             select from products other where other.name_key = $2 and other.deleted_at is null and other.id <> $1
         )",
        id.get(),
        name_key(name),
    );
    Ok(updated.execute(db).await?.rows_affected() == 1)
}

/// Makes a category's key anew. False if another category has it: then the old one stays.
pub async fn update_category_key(db: &mut PgConnection, id: CategoryId, name: &str) -> sqlx::Result<bool> {
    let updated = sqlx::query!(
        "update categories set name_key = $2
         where id = $1 and not exists (select from categories other where other.name_key = $2 and other.id <> $1)",
        id.get(),
        name_key(name),
    );
    Ok(updated.execute(db).await?.rows_affected() == 1)
}
