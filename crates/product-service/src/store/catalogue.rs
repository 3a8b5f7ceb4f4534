//! Pages of the catalogue. The one place where a statement is put together at run time: each combination of filters and
//! order is a statement of its own, so that the database can plan it by the indexes that help. Everything a caller sent
//! is bound, never part of the text.

use contracts::{CategoryId, ProductId};
use sqlx::{PgConnection, Postgres, QueryBuilder};

use crate::domain::catalogue::{Direction, Filter, Search, SortBy};

/// A part of the products on sale that a search finds, in its order.
pub async fn list_product_ids(
    db: &mut PgConnection,
    search: &Search,
    limit: i64,
    offset: i64,
) -> sqlx::Result<Vec<ProductId>> {
    let mut query = QueryBuilder::new("select p.id from products p where ");
    push_filters(&mut query, &search.filter);
    push_order(&mut query, search);
    query.push(" limit ").push_bind(limit).push(" offset ").push_bind(offset);
    query.build_query_scalar().fetch_all(db).await
}

/// The number of products on sale that a filter leaves, by the cheapest way there is.
pub async fn count_products(db: &mut PgConnection, filter: &Filter) -> sqlx::Result<i64> {
    let mut query = QueryBuilder::new("select ");
    match filter.category_id {
        _ if filter.is_counted() => {
            query.push("count(*) from products p where ");
            push_filters(&mut query, filter);
        }
        Some(category) => {
            query.push("count(*) from product_categories where category_id = ").push_bind(category.get());
        }
        None => drop(query.push("products from catalogue_size")),
    }
    query.build_query_scalar().fetch_one(db).await
}

fn push_filters(query: &mut QueryBuilder<Postgres>, filter: &Filter) {
    query.push("p.deleted_at is null");
    if let Some(pattern) = filter.pattern() {
        query.push(" and p.name_key like ").push_bind(pattern);
    }
    if let Some(category) = filter.category_id.map(CategoryId::get) {
        query.push(
            " and exists (select from product_categories l where l.product_id = p.id and l.category_id = ",
        );
        query.push_bind(category).push(")");
    }
    if let Some(price) = filter.min_price {
        query.push(" and p.price >= ").push_bind(price);
    }
    if let Some(price) = filter.max_price {
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
