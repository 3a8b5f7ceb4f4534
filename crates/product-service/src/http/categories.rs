//! `/categories`.

use axum::{extract::State, http::StatusCode, response::IntoResponse};
use chassis::{Admin, Json, Path, Problem, rules::not_blank};
use contracts::CategoryId;
use garde::Validate;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::{AppState, app, domain::catalogue::Category, store};

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

/// A category.
#[derive(Debug, Serialize, ToSchema)]
pub struct CategoryView {
    /// Its id.
    #[schema(example = 5)]
    id: CategoryId,
    /// What it is called.
    #[schema(min_length = 1, max_length = 100, example = "Garden")]
    name: String,
    /// How many products on sale belong to it.
    #[schema(minimum = 0, maximum = 9_223_372_036_854_775_807_i64, example = 0)]
    product_count: i64,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(example = "2026-01-02T03:04:05Z")]
    created_at: OffsetDateTime,
    /// When an administrator renamed it last.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(example = "2026-01-02T03:04:05Z")]
    updated_at: OffsetDateTime,
}

/// All categories.
#[derive(Debug, Serialize, ToSchema)]
pub struct AllCategories {
    /// By name.
    #[schema(max_items = 100_000)]
    categories: Vec<CategoryView>,
}

/// A category after it was made or renamed, or as it was before it was removed.
#[derive(Debug, Serialize, ToSchema)]
pub struct CategorySaved {
    /// A sentence for people.
    #[schema(max_length = 200, example = "Category created")]
    message: &'static str,
    /// The category.
    category: CategoryView,
}

impl From<Category> for CategoryView {
    fn from(category: Category) -> Self {
        let Category { id, name, product_count, created_at, updated_at } = category;
        Self { id, name, product_count, created_at, updated_at }
    }
}

fn saved(message: &'static str, category: Category) -> axum::Json<CategorySaved> {
    axum::Json(CategorySaved { message, category: category.into() })
}

/// List categories
///
/// All of them, by name.
#[utoipa::path(
    get, path = "/api/v1/categories", operation_id = "list_categories", tag = "category",
    responses((status = 200, description = "All categories", body = AllCategories))
)]
pub async fn list_categories(State(state): State<AppState>) -> Result<axum::Json<AllCategories>, Problem> {
    let mut db = state.db.acquire().await?;
    let categories = store::list_categories(&mut db).await?;
    Ok(axum::Json(AllCategories { categories: categories.into_iter().map(CategoryView::from).collect() }))
}

/// Create a category
///
/// For administrators. No product belongs to it yet.
#[utoipa::path(
    post, path = "/api/v1/categories", operation_id = "create_category", tag = "category",
    request_body = CategoryName, security(("token" = [])),
    responses(
        (status = 201, description = "The category", body = CategorySaved),
        (status = 403, description = "Not an administrator"),
        (status = 409, description = "`name_taken`: another category is called so"),
    )
)]
pub async fn create_category(
    State(state): State<AppState>,
    _: Admin,
    Json(body): Json<CategoryName>,
) -> Result<impl IntoResponse, Problem> {
    let category = app::create_category(&state, body.name.trim()).await?;
    Ok((StatusCode::CREATED, saved("Category created", category)))
}

/// Rename a category
///
/// For administrators. Its products stay in it.
#[utoipa::path(
    put, path = "/api/v1/categories/{id}", operation_id = "rename_category", tag = "category",
    params(("id" = CategoryId, Path, description = "The category's id")), request_body = CategoryName,
    security(("token" = [])),
    responses(
        (status = 200, description = "The category as it is now", body = CategorySaved),
        (status = 403, description = "Not an administrator"),
        (status = 404, description = "There is no such category"),
        (status = 409, description = "`name_taken`: another category is called so"),
    )
)]
pub async fn rename_category(
    State(state): State<AppState>,
    _: Admin,
    Path(id): Path<CategoryId>,
    Json(body): Json<CategoryName>,
) -> Result<axum::Json<CategorySaved>, Problem> {
    let category = app::rename_category(&state, id, body.name.trim()).await?;
    Ok(saved("Category renamed", category))
}

/// Delete a category
///
/// For administrators, and only while no product on sale belongs to it.
#[utoipa::path(
    delete, path = "/api/v1/categories/{id}", operation_id = "delete_category", tag = "category",
    params(("id" = CategoryId, Path, description = "The category's id")), security(("token" = [])),
    responses(
        (status = 200, description = "The category as it was", body = CategorySaved),
        (status = 403, description = "Not an administrator"),
        (status = 404, description = "There is no such category"),
        (status = 409, description = "`not_empty`: products belong to it"),
    )
)]
pub async fn delete_category(
    State(state): State<AppState>,
    _: Admin,
    Path(id): Path<CategoryId>,
) -> Result<axum::Json<CategorySaved>, Problem> {
    let category = app::delete_category(&state, id).await?;
    Ok(saved("Category deleted", category))
}
