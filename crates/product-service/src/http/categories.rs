//! `/categories`: anybody reads them, administrators change them.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    response::{IntoResponse, Response},
};
use chassis::{Json, Path, Problem, auth::Catalogue, http::Refusals, rules::not_blank};
use contracts::CategoryId;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::conditional::conditional;
use crate::{
    AppState, app,
    domain::catalogue::Category,
    error::code,
    view::{CategoryView, Rendered},
};

/// What a category is to be called.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CategoryName {
    /// No other category may be called so, whatever the case. Spaces around it are dropped.
    #[garde(length(chars, min = 1, max = 100), custom(not_blank))]
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
        example = "Garden"
    )]
    name: String,
}

/// All categories of the shop.
#[derive(Debug, Serialize, ToSchema)]
pub struct AllCategories {
    /// The categories in the order of their names.
    #[schema(max_items = 100_000, value_type = Vec<CategoryView>)]
    categories: Rendered,
}

/// A category after it was made or renamed, or as it was before it was removed.
#[derive(Debug, Serialize, ToSchema)]
pub struct CategorySaved {
    /// A sentence for people.
    #[schema(max_length = 200, example = "Category created")]
    message: &'static str,
    /// The category as it is now.
    category: CategoryView,
}

fn saved(message: &'static str, category: Category) -> axum::Json<CategorySaved> {
    axum::Json(CategorySaved { message, category: category.into() })
}

/// List categories
///
/// All of them, by name.
#[utoipa::path(
    get, path = "/api/v1/categories", operation_id = "list_categories", tag = "category",
    responses(
        (status = 200, description = "All categories", body = AllCategories, headers(
            ("ETag" = String, description = "To a request without a token: If-None-Match names it"),
        )),
        (status = 304, description = "They are those that If-None-Match names"),
    )
)]
pub async fn list_categories(State(state): State<AppState>, headers: HeaderMap) -> Result<Response, Problem> {
    let may_be_kept = !headers.contains_key(AUTHORIZATION);
    let catalogue = &state.catalogue;
    let categories =
        if may_be_kept { catalogue.categories().await? } else { catalogue.read_categories().await? };
    Ok(conditional(&headers, AllCategories { categories }))
}

/// Create a category
///
/// For administrators and the catalogue. No product belongs to it yet.
#[utoipa::path(
    post, path = "/api/v1/categories", operation_id = "create_category", tag = "category",
    request_body = CategoryName, security(("token" = ["catalogue"])),
    responses(
        (status = 201, description = "The category", body = CategorySaved),
        Refusals<Catalogue, code::NameTaken>,
    )
)]
pub async fn create_category(
    State(state): State<AppState>,
    _: Catalogue,
    Json(body): Json<CategoryName>,
) -> Result<impl IntoResponse, Problem> {
    let category = app::create_category(&state, body.name.trim()).await?;
    Ok((StatusCode::CREATED, saved("Category created", category)))
}

/// Rename a category
///
/// For administrators and the catalogue. Its products stay in it.
#[utoipa::path(
    put, path = "/api/v1/categories/{id}", operation_id = "rename_category", tag = "category",
    params(("id" = CategoryId, Path, description = "The category's id")), request_body = CategoryName,
    security(("token" = ["catalogue"])),
    responses(
        (status = 200, description = "The category as it is now", body = CategorySaved),
        Refusals<Catalogue, code::UnknownCategory, code::NameTaken>,
    )
)]
pub async fn rename_category(
    State(state): State<AppState>,
    _: Catalogue,
    Path(id): Path<CategoryId>,
    Json(body): Json<CategoryName>,
) -> Result<axum::Json<CategorySaved>, Problem> {
    let category = app::rename_category(&state, id, body.name.trim()).await?;
    Ok(saved("Category renamed", category))
}

/// Delete a category
///
/// For administrators and the catalogue, and only while no product on sale belongs to it.
#[utoipa::path(
    delete, path = "/api/v1/categories/{id}", operation_id = "delete_category", tag = "category",
    params(("id" = CategoryId, Path, description = "The category's id")), security(("token" = ["catalogue"])),
    responses(
        (status = 200, description = "The category as it was", body = CategorySaved),
        Refusals<Catalogue, code::UnknownCategory, code::NotEmpty>,
    )
)]
pub async fn delete_category(
    State(state): State<AppState>,
    _: Catalogue,
    Path(id): Path<CategoryId>,
) -> Result<axum::Json<CategorySaved>, Problem> {
    let category = app::delete_category(&state, id).await?;
    Ok(saved("Category deleted", category))
}
