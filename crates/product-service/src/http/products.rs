//! `/products` as everybody sees it, without an account.

use axum::{extract::State, http::HeaderMap, response::Response};
use chassis::{
    Path, Problem, Query, User,
    auth::StaffRole,
    http::{Page, Refusals},
};
use contracts::{CategoryId, ProductId};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::conditional::conditional;
use crate::{
    AppState, app,
    domain::catalogue::{Direction, Filter, Product, Search, SortBy},
    error::{Code, code},
    view::{ProductView, Rendered},
};

/// Which products to list, and in which order.
#[derive(Debug, Clone, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListProducts {
    /// A part of the name, whatever the case; `%` and `_` mean themselves.
    #[garde(length(chars, max = 200))]
    #[param(max_length = 200, pattern = r"^[^\u0000]*$", example = "coffee")]
    search: Option<String>,
    /// Only products of this category.
    #[garde(skip)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 9_223_372_036_854_775_807_i64)]
    category_id: Option<CategoryId>,
    /// Only products that cost at least this, in rupiah.
    #[garde(range(min = 0, max = 1_000_000_000_000))]
    #[param(minimum = 0, maximum = 1_000_000_000_000_i64)]
    min_price: Option<i64>,
    /// Only products that cost at most this, in rupiah.
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
    /// Which page to return, counted from 1.
    #[serde(default = "Page::first")]
    #[garde(range(min = 1, max = 1_000_000_000))]
    #[param(minimum = 1, maximum = 1_000_000_000, default = 1)]
    page: i64,
    /// How many products a page has.
    #[serde(default = "Page::ten")]
    #[garde(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: i64,
}

/// A page of the catalogue.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProductPage {
    /// The products of the page, in the order asked for.
    #[schema(max_items = 100, value_type = Vec<ProductView>)]
    products: Vec<Rendered>,
    /// How many there are on all pages.
    #[schema(minimum = 0, maximum = 9_223_372_036_854_775_807_i64, example = 1)]
    total: i64,
    /// The number of the page, as asked for.
    #[schema(minimum = 1, maximum = 1_000_000_000, example = 1)]
    page: i64,
    /// Products per page, as asked for.
    #[schema(minimum = 1, maximum = 100, example = 10)]
    limit: i64,
    /// How many pages there are in all; 0 if nothing matches.
    #[schema(minimum = 0, maximum = 9_223_372_036_854_775_807_i64, example = 1)]
    total_pages: i64,
}

/// One product that is on sale.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneProduct {
    /// The product as anybody sees it.
    #[schema(value_type = ProductView)]
    product: Rendered,
}

impl From<ListProducts> for Search {
    fn from(query: ListProducts) -> Self {
        let sort_by = query.sort_by.unwrap_or(SortBy::CreatedAt);
        let filter = Filter {
            text: query.search.filter(|text| !text.is_empty()),
            category_id: query.category_id,
            min_price: query.min_price,
            max_price: query.max_price,
        };
        Self { filter, sort_by, direction: query.order.unwrap_or(sort_by.natural()) }
    }
}

/// List products
///
/// Those on sale, newest first unless asked otherwise. A token of the catalogue or an administrator adds `held` to each.
#[utoipa::path(
    get, path = "/api/v1/products", operation_id = "list_products", tag = "product",
    params(ListProducts), security((), ("token" = [])),
    responses(
        (status = 200, description = "A page of the catalogue", body = ProductPage, headers(
            ("ETag" = String, description = "To a request without a token: If-None-Match names it"),
        )),
        (status = 304, description = "It is the one that If-None-Match names"),
    )
)]
pub async fn list_products(
    State(state): State<AppState>,
    user: Option<User>,
    headers: HeaderMap,
    Query(query): Query<ListProducts>,
) -> Result<Response, Problem> {
    let page = Page { page: query.page, limit: query.limit };
    let (products, total) = if is_admin(user) {
        let found = app::list_products_with_held(&state, &query.into(), page.limit, page.offset()).await?;
        (found.0.into_iter().map(rendered).collect::<Result<_, _>>()?, found.1)
    } else {
        app::list_products(&state, query.into(), page.limit, page.offset()).await?
    };
    let body =
        ProductPage { products, total, page: page.page, limit: page.limit, total_pages: page.pages(total) };
    Ok(conditional(&headers, body))
}

/// Get a product
///
/// A product on sale. A token of the catalogue or an administrator adds `held`.
#[utoipa::path(
    get, path = "/api/v1/products/{id}", operation_id = "get_product", tag = "product",
    params(("id" = ProductId, Path, description = "The product's id")), security((), ("token" = [])),
    responses(
        (status = 200, description = "The product", body = OneProduct, headers(
            ("ETag" = String, description = "To a request without a token: If-None-Match names it"),
        )),
        (status = 304, description = "It is the one that If-None-Match names"),
        Refusals<code::UnknownProduct>,
    )
)]
pub async fn get_product(
    State(state): State<AppState>,
    user: Option<User>,
    headers: HeaderMap,
    Path(id): Path<ProductId>,
) -> Result<Response, Problem> {
    let product = if is_admin(user) {
        app::find_product_with_held(&state, id).await?.map(rendered).transpose()?
    } else {
        app::find_product(&state, id).await?
    };
    Ok(conditional(&headers, OneProduct { product: product.ok_or(Code::UnknownProduct)? }))
}

fn rendered(product: Product) -> Result<Rendered, Problem> {
    Rendered::of(&ProductView::from(product)).map_err(Problem::internal)
}

fn is_admin(user: Option<User>) -> bool {
    user.is_some_and(|user| user.runs(StaffRole::Catalogue))
}
