//! Pages of the catalogue. The one place where statements are put together at run time: each combination of filters and
//! order is a statement of its own, planned for its own numbers, so that the indexes that help are used. Text that a caller
//! sent is bound; only numbers become part of a statement.

use contracts::{CategoryId, ProductId};
use sqlx::{PgConnection, Postgres, QueryBuilder};

use crate::domain::catalogue::{Direction, Filter, MANY, Search, SortBy};

/// A part of the products on sale that a search finds, in its order. `total` is what [`count_products`] said: many are met
/// by walking through all products in that order, few are found first and sorted then. The database would have to guess.
pub async fn list_product_ids(
    db: &mut PgConnection,
    search: &Search,
    total: i64,
    limit: i64,
    offset: i64,
) -> sqlx::Result<Vec<ProductId>> {
    let filter = &search.filter;
    let mut query = QueryBuilder::new("");
    if total < MANY && *filter != Filter::default() {
        query.push(
            "with p as materialized (select id, name_key, price, stock, created_at from products p where ",
        );
        push_filters(&mut query, filter);
        push_grams(&mut query, filter);
        query.push(") select p.id from p");
    } else {
        query.push("select p.id from products p where ");
        push_filters(&mut query, filter);
    }
    push_order(&mut query, search);
    query.push(format_args!(" limit {limit} offset {offset}"));
    query.build_query_scalar().persistent(false).fetch_all(db).await
}

/// The number of products on sale that a filter leaves, by the cheapest way there is.
pub async fn count_products(db: &mut PgConnection, filter: &Filter) -> sqlx::Result<i64> {
    let mut query = QueryBuilder::new("select ");
    match filter.category_id {
        _ if filter.is_counted() => {
            query.push("count(*) from products p where ");
            push_filters(&mut query, filter);
            push_grams(&mut query, filter);
        }
        Some(category) => {
            query.push(format_args!(
                "coalesce(sum(product_count), 0)::bigint from categories where id = {category}"
            ));
        }
        None => drop(query.push("products from catalogue_size")),
    }
    query.build_query_scalar().persistent(false).fetch_one(db).await
}

fn push_filters(query: &mut QueryBuilder<Postgres>, filter: &Filter) {
    query.push("p.deleted_at is null");
    if let Some(pattern) = filter.pattern() {
        query.push(" and p.name_key like ").push_bind(pattern);
    }
    if let Some(category) = filter.category_id.map(CategoryId::get) {
        query.push(format_args!(
            " and exists (select from product_categories l where l.product_id = p.id and l.category_id = {category})"
        ));
    }
    if let Some(price) = filter.min_price {
        query.push(format_args!(" and p.price >= {price}"));
    }
    if let Some(price) = filter.max_price {
        query.push(format_args!(" and p.price <= {price}"));
    }
}

/// What an index finds the names by in which a text is.
fn push_grams(query: &mut QueryBuilder<Postgres>, filter: &Filter) {
    let grams = filter.grams();
    if !grams.is_empty() {
        query.push(" and name_grams(p.name_key) @> ").push_bind(grams);
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
