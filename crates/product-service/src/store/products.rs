//! Single products, and the summaries of products that other services read.

use contracts::{CategoryId, ProductId};
use sqlx::{PgConnection, types::Json};
use time::OffsetDateTime;

use crate::domain::catalogue::{CategoryRef, Product, ProductSummary, name_key};

/// What a new product is given.
#[derive(Debug, Clone)]
pub struct NewProduct<'a> {
    pub name: &'a str,
    pub description: &'a str,
    /// What one unit costs, in whole rupiah.
    pub price: i64,
    /// Free units: held ones are out already.
    pub stock: i64,
}

/// A product on sale as it is stored, locked.
#[derive(Debug, Clone)]
pub struct ProductRow {
    pub name: String,
    pub description: String,
    /// What one unit costs, in whole rupiah.
    pub price: i64,
    /// Free units: held ones are out already.
    pub stock: i64,
}

/// A product on sale as it is read.
struct Row {
    id: ProductId,
    name: String,
    description: String,
    price: i64,
    stock: i64,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
    categories: Json<Vec<CategoryRef>>,
}

impl From<Row> for Product {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            name: row.name,
            description: row.description,
            price: row.price,
            stock: row.stock,
            held: None,
            categories: row.categories.0,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

pub async fn find_product(db: &mut PgConnection, id: ProductId) -> sqlx::Result<Option<Product>> {
    Ok(list_products(db, &[id]).await?.pop())
}

/// Those of the products that are on sale, in any order.
pub async fn list_products(db: &mut PgConnection, ids: &[ProductId]) -> sqlx::Result<Vec<Product>> {
    let ids: Vec<i64> = ids.iter().map(|id| id.get()).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"select id as "id: ProductId", name, description, price, stock, created_at, updated_at,
                  coalesce((select jsonb_agg(jsonb_build_object('id', c.id, 'name', c.name) order by c.name_key)
                            from product_categories l join categories c on c.id = l.category_id
                            where l.product_id = p.id), '[]') as "categories!: Json<Vec<CategoryRef>>"
           from products p
           where id = any($1) and deleted_at is null"#,
        &ids,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(Product::from).collect())
}

/// A product that is or was on sale, as other services see it.
pub async fn find_product_summary(
    db: &mut PgConnection,
    id: ProductId,
) -> sqlx::Result<Option<ProductSummary>> {
    Ok(list_product_summaries(db, &[id.get()]).await?.pop())
}

/// Products that are or were on sale, as other services see them, in the order of their ids.
pub async fn list_product_summaries(db: &mut PgConnection, ids: &[i64]) -> sqlx::Result<Vec<ProductSummary>> {
    sqlx::query_as!(
        ProductSummary,
        r#"select id as "id: ProductId", name, price, stock, deleted_at is not null as "deleted!"
           from products
           where id = any($1)
           order by id"#,
        ids,
    )
    .fetch_all(db)
    .await
}

/// A product on sale. It stays as it is until the end of the transaction.
pub async fn lock_product(db: &mut PgConnection, id: ProductId) -> sqlx::Result<Option<ProductRow>> {
    sqlx::query_as!(
        ProductRow,
        "select name, description, price, stock
         from products
         where id = $1 and deleted_at is null
         for no key update",
        id.get(),
    )
    .fetch_optional(db)
    .await
}

pub async fn insert_product(db: &mut PgConnection, product: &NewProduct<'_>) -> sqlx::Result<ProductId> {
    sqlx::query_scalar!(
        r#"with grown as (update catalogue_size set products = products + 1)
           insert into products (name, name_key, description, price, stock) values ($1, $2, $3, $4, $5)
           returning id as "id: ProductId""#,
        product.name,
        name_key(product.name),
        product.description,
        product.price,
        product.stock,
    )
    .fetch_one(db)
    .await
}

/// Changes a product that is locked.
pub async fn update_product(db: &mut PgConnection, id: ProductId, product: &ProductRow) -> sqlx::Result<()> {
    sqlx::query!(
        "update products
         set name = $2, name_key = $3, description = $4, price = $5, stock = $6, updated_at = now()
         where id = $1",
        id.get(),
        product.name,
        name_key(&product.name),
        product.description,
        product.price,
        product.stock,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Makes these, which exist, the categories of a product.
pub async fn update_categories(
    db: &mut PgConnection,
    id: ProductId,
    categories: &[CategoryId],
) -> sqlx::Result<()> {
    let categories: Vec<i64> = categories.iter().map(|id| id.get()).collect();
    sqlx::query!(
        "with gone as (delete from product_categories where product_id = $1 and category_id <> all($2))
         insert into product_categories (product_id, category_id)
         select $1, category from unnest($2::bigint[]) as category
         on conflict do nothing",
        id.get(),
        &categories,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Takes a product off sale. Returns whether it was on sale.
pub async fn delete_product(db: &mut PgConnection, id: ProductId) -> sqlx::Result<bool> {
    let deleted = sqlx::query_scalar!(
        r#"with gone as (
               update products set deleted_at = now() where id = $1 and deleted_at is null returning id
           ), left_categories as (
               delete from product_categories where product_id in (select id from gone)
           ), shrunk as (
               update catalogue_size set products = products - 1 where exists (select from gone)
           )
           select count(*) as "count!" from gone"#,
        id.get(),
    )
    .fetch_one(db)
    .await?;
    Ok(deleted == 1)
}

/// Whether there never was a product. Other processes that call this wait for the end of the transaction.
pub async fn lock_catalogue(db: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query!("select from catalogue_size for update").fetch_one(&mut *db).await?;
    sqlx::query_scalar!(
        r#"select not exists (select from products) and not exists (select from categories) as "first!""#
    )
    .fetch_one(db)
    .await
}
