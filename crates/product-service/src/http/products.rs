//! `/products` as everybody sees it.

use axum::extract::State;
use chassis::{Path, Problem, Query, User, http::Page};
use contracts::{CategoryId, ProductId};
use garde::Validate;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::{
    AppState,
    app::{self, Listing},
    domain::catalogue::{CategoryRef, Direction, Product, Search, SortBy},
    error::no_such_product,
};

/// Which products to list.
#[derive(Debug, Clone, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListProducts {
    /// A part of the name, whatever the case; `%` and `_` mean themselves.
    #[garde(length(chars, max = 200))]
    #[param(max_length = 200, pattern = r"^[^\u0000]*$", example = "coffee")]
    search: Option<String>,
    /// Only this category's.
    #[garde(skip)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 9_223_372_036_854_775_807_i64)]
    category_id: Option<CategoryId>,
    /// Nothing cheaper, in rupiah.
    #[garde(range(min = 0, max = 1_000_000_000_000))]
    #[param(minimum = 0, maximum = 1_000_000_000_000_i64)]
    min_price: Option<i64>,
    /// Nothing dearer, in rupiah.
    #[garde(range(min = 0, max = 1_000_000_000_000))]
    #[param(minimum = 0, maximum = 1_000_000_000_000_i64)]
    max_price: Option<i64>,
    /// What they are sorted by; `created_at` if it is left out.
    #[garde(skip)]
    #[param(inline)]
    sort_by: Option<SortBy>,
    /// Which way; if it is left out, `desc` for `created_at` and `asc` for the others.
    #[garde(skip)]
    #[param(inline)]
    order: Option<Direction>,
    /// The page, from 1.
    #[serde(default = "Page::first")]
    #[garde(range(min = 1, max = 1_000_000_000))]
    #[param(minimum = 1, maximum = 1_000_000_000, default = 1)]
    page: i64,
    /// Products per page.
    #[serde(default = "Page::ten")]
    #[garde(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: i64,
}

/// A product on sale.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProductView {
    /// Its id.
    #[schema(example = 8)]
    id: ProductId,
    /// What it is called.
    #[schema(min_length = 1, max_length = 200, example = "Gayo Arabica Coffee 250 g")]
    name: String,
    /// What there is to say about it.
    #[schema(max_length = 5000, example = "Single origin, medium roast, whole beans.")]
    description: String,
    /// In rupiah.
    #[schema(minimum = 1, maximum = 1_000_000_000_000_i64, example = 95_000)]
    price: i64,
    /// Free units: those held for open orders are already out.
    #[schema(minimum = 0, maximum = 9_223_372_036_854_775_807_i64, example = 200)]
    stock: i64,
    /// Units held for open orders; for administrators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 9_223_372_036_854_775_807_i64, example = 0)]
    held: Option<i64>,
    /// What it belongs to, by name.
    #[schema(max_items = 100)]
    categories: Vec<CategoryRefView>,
    /// When it was put on sale.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(example = "2026-01-02T03:04:05Z")]
    created_at: OffsetDateTime,
    /// When an administrator changed it last.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(example = "2026-01-02T03:04:05Z")]
    updated_at: OffsetDateTime,
}

/// A category that a product belongs to.
#[derive(Debug, Serialize, ToSchema)]
pub struct CategoryRefView {
    /// Its id.
    #[schema(example = 4)]
    id: CategoryId,
    /// What it is called.
    #[schema(min_length = 1, max_length = 100, example = "Home & Kitchen")]
    name: String,
}

/// A page of the catalogue.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProductPage {
    /// The products of the page.
    #[schema(max_items = 100)]
    products: Vec<ProductView>,
    /// How many there are on all pages.
    #[schema(minimum = 0, maximum = 9_223_372_036_854_775_807_i64, example = 1)]
    total: i64,
    /// The page, as asked for.
    #[schema(minimum = 1, maximum = 1_000_000_000, example = 1)]
    page: i64,
    /// Products per page, as asked for.
    #[schema(minimum = 1, maximum = 100, example = 10)]
    limit: i64,
    /// How many pages there are.
    #[schema(minimum = 0, maximum = 9_223_372_036_854_775_807_i64, example = 1)]
    total_pages: i64,
}

/// One product.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneProduct {
    /// The product.
    product: ProductView,
}

impl From<ListProducts> for Search {
    fn from(query: ListProducts) -> Self {
        let sort_by = query.sort_by.unwrap_or(SortBy::CreatedAt);
        Self {
            text: query.search.filter(|text| !text.is_empty()),
            category_id: query.category_id,
            min_price: query.min_price,
            max_price: query.max_price,
            sort_by,
            direction: query.order.unwrap_or(sort_by.natural()),
        }
    }
}

impl From<Product> for ProductView {
    fn from(product: Product) -> Self {
        Self {
            id: product.id,
            name: product.name,
            description: product.description,
            price: product.price,
            stock: product.stock,
            held: product.held,
            categories: product.categories.into_iter().map(CategoryRefView::from).collect(),
            created_at: product.created_at,
            updated_at: product.updated_at,
        }
    }
}

impl From<CategoryRef> for CategoryRefView {
    fn from(category: CategoryRef) -> Self {
        Self { id: category.id, name: category.name }
    }
}

/// List products
///
/// Those on sale, newest first unless asked otherwise. An administrator's token adds `held` to each.
#[utoipa::path(
    get, path = "/api/v1/products", operation_id = "list_products", tag = "product",
    params(ListProducts), security((), ("token" = [])),
    responses((status = 200, description = "A page of the catalogue", body = ProductPage))
)]
pub async fn list_products(
    State(state): State<AppState>,
    user: Option<User>,
    Query(query): Query<ListProducts>,
) -> Result<axum::Json<ProductPage>, Problem> {
    let page = Page { page: query.page, limit: query.limit };
    let Listing { products, total } =
        app::list_products(&state, &query.into(), page.limit, page.offset(), is_admin(user)).await?;
    let products = products.into_iter().map(ProductView::from).collect();
    let total_pages = page.pages(total);
    Ok(axum::Json(ProductPage { products, total, page: page.page, limit: page.limit, total_pages }))
}

/// Get a product
///
/// A product on sale. An administrator's token adds `held`.
#[utoipa::path(
    get, path = "/api/v1/products/{id}", operation_id = "get_product", tag = "product",
    params(("id" = ProductId, Path, description = "The product's id")), security((), ("token" = [])),
    responses(
        (status = 200, description = "The product", body = OneProduct),
        (status = 404, description = "There is no such product, or it was taken off sale"),
    )
)]
pub async fn get_product(
    State(state): State<AppState>,
    user: Option<User>,
    Path(id): Path<ProductId>,
) -> Result<axum::Json<OneProduct>, Problem> {
    let found = app::find_product(&state, id, is_admin(user)).await?;
    let product = found.ok_or_else(no_such_product)?;
    Ok(axum::Json(OneProduct { product: product.into() }))
}

fn is_admin(user: Option<User>) -> bool {
    user.is_some_and(|user| user.is_admin())
}
