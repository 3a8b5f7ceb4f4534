//! Pages of the catalogue. The one place where a statement is put together at run time: each combination of filters and
//! order is a statement of its own, so that the database can plan it by the indexes that help. Everything a caller sent
//! is bound, never part of the text.

use contracts::CategoryId;
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

use super::products::Row;
use crate::domain::catalogue::{Direction, Product, Search, SortBy};

#[derive(FromRow)]
struct Found {
    #[sqlx(flatten)]
    product: Row,
    total: i64,
}

/// A part of the products on sale that a search finds, and how many it finds in all. The total is `None` if the part is
/// empty.
pub async fn list_products(
    db: &mut PgConnection,
    search: &Search,
    limit: i64,
    offset: i64,
) -> sqlx::Result<(Vec<Product>, Option<i64>)> {
    let mut query = QueryBuilder::new("with page as (select p.id from products p where ");
    push_filters(&mut query, search);
    push_order(&mut query, search);
    query.push(" limit ").push_bind(limit).push(" offset ").push_bind(offset);
    query.push(
        ") select p.id, p.name, p.description, p.price, p.stock, p.created_at, p.updated_at,
             coalesce((select jsonb_agg(jsonb_build_object('id', c.id, 'name', c.name) order by c.name_key)
                       from product_categories l join categories c on c.id = l.category_id
                       where l.product_id = p.id), '[]') as categories,
             (",
    );
    push_count(&mut query, search);
    query.push(") as total from page join products p on p.id = page.id");
    push_order(&mut query, search);
    let found: Vec<Found> = query.build_query_as().fetch_all(db).await?;
    let total = found.first().map(|found| found.total);
    Ok((found.into_iter().map(|found| found.product.into()).collect(), total))
}

pub async fn count_products(db: &mut PgConnection, search: &Search) -> sqlx::Result<i64> {
    let mut query = QueryBuilder::new("");
    push_count(&mut query, search);
    query.build_query_scalar().fetch_one(db).await
}

/// The number of products that a search finds, by the cheapest way there is.
fn push_count(query: &mut QueryBuilder<Postgres>, search: &Search) {
    match search {
        Search { text: None, category_id: None, min_price: None, max_price: None, .. } => {
            query.push("select products from catalogue_size");
        }
        Search { text: None, category_id: Some(category), min_price: None, max_price: None, .. } => {
            query.push("select count(*) from product_categories where category_id = ");
            query.push_bind(category.get());
        }
        _ => {
            query.push("select count(*) from products p where ");
            push_filters(query, search);
        }
    }
}

fn push_filters(query: &mut QueryBuilder<Postgres>, search: &Search) {
    query.push("p.deleted_at is null");
    if let Some(pattern) = search.pattern() {
        query.push(" and p.name_key like ").push_bind(pattern);
    }
    if let Some(category) = search.category_id.map(CategoryId::get) {
        query.push(
            " and exists (select from product_categories l where l.product_id = p.id and l.category_id = ",
        );
        query.push_bind(category).push(")");
    }
    if let Some(price) = search.min_price {
        query.push(" and p.price >= ").push_bind(price);
    }
    if let Some(price) = search.max_price {
        query.push(" and p.price <= ").push_bind(price);
    }
}

/// Products that compare equal are in the order of their ids, so that pages never overlap; no two names do.
fn push_order(query: &mut QueryBuilder<Postgres>, search: &Search) {
    query.push(match (search.sort_by, search.direction) {
        (SortBy::CreatedAt, Direction::Asc) => " order by p.created_at, p.id",
        (SortBy::CreatedAt, Direction::Desc) => " order by p.created_at desc, p.id desc",
        (SortBy::Price, Direction::Asc) => " order by p.price, p.id",
        (SortBy::Price, Direction::Desc) => " order by p.price desc, p.id desc",
        (SortBy::Name, Direction::Asc) => " order by p.name_key",
        (SortBy::Name, Direction::Desc) => " order by p.name_key desc",
        (SortBy::Stock, Direction::Asc) => " order by p.stock, p.id",
        (SortBy::Stock, Direction::Desc) => " order by p.stock desc, p.id desc",
    });
}
