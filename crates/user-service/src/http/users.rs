//! Accounts, as administrators see to them.

use axum::{extract::State, http::StatusCode, response::IntoResponse};
use chassis::{
    Json, Path, Problem, Query, Role,
    auth::StaffRole,
    http::{Page, Refusals, list_headers},
    rules::all_different,
};
use contracts::UserId;
use garde::Validate;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::caller::Administrator;
use crate::{
    AppState,
    app::{self, ManageUserError, Users},
    domain::{User, UserChange},
    error::code,
    store::directory::Filter,
};

const PATH: &str = "/api/v1/auth/users";

/// Which accounts to list.
#[derive(Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListUsers {
    /// Only those with this in their username or e-mail address, in any case.
    #[garde(inner(length(chars, min = 1, max = 254)))]
    #[param(min_length = 1, max_length = 254, pattern = r"^[^\u0000]*$")]
    search: Option<String>,
    /// Only those with this role.
    #[garde(skip)]
    role: Option<Role>,
    /// Only those who run this part of the shop.
    #[garde(skip)]
    staff_role: Option<StaffRole>,
    /// Only those that are disabled, or only those that are not.
    #[garde(skip)]
    disabled: Option<bool>,
    /// The page, from 1.
    #[serde(default = "Page::first")]
    #[garde(range(min = 1, max = 1_000_000_000))]
    #[param(minimum = 1, maximum = 1_000_000_000, default = 1)]
    page: i64,
    /// Accounts per page.
    #[serde(default = "Page::ten")]
    #[garde(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: i64,
}

/// What is to change; what is left out stays.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserUpdate {
    /// Whether nobody can log in with the account any more. It ends all its sessions.
    #[garde(skip)]
    #[schema(example = false)]
    disabled: Option<bool>,
    /// Whether it may do everything, or buy.
    #[garde(skip)]
    role: Option<Role>,
    /// The parts of the shop that it runs from now on, each once.
    #[garde(length(max = 4), inner(custom(all_different)))]
    #[schema(value_type = Option<std::collections::BTreeSet<StaffRole>>, max_items = 4, example = json!(["catalogue"]))]
    staff_roles: Option<Vec<StaffRole>>,
}

/// An account as administrators see it.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserView {
    /// The number of the account.
    id: UserId,
    /// The name of the account, which no other one has.
    #[schema(min_length = 3, max_length = 50, pattern = "^[A-Za-z0-9_.-]+$", example = "ani")]
    username: String,
    /// The e-mail address of the account.
    #[schema(format = "email", max_length = 254, example = "ani@example.com")]
    email: String,
    /// Whether its owner has shown that the address is theirs.
    #[schema(example = true)]
    email_verified: bool,
    /// What the account may do.
    role: Role,
    /// The parts of the shop that it runs; an administrator runs all of them.
    #[schema(max_items = 4)]
    staff_roles: Vec<StaffRole>,
    /// Whether nobody can log in with it.
    #[schema(example = false)]
    disabled: bool,
    /// Since when nobody can.
    #[serde(skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    #[schema(nullable = false, example = "2026-01-03T03:04:05Z")]
    disabled_at: Option<OffsetDateTime>,
    /// When the account was made.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(example = "2026-01-02T03:04:05.678901Z")]
    created_at: OffsetDateTime,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            username: user.username,
            email: user.email,
            email_verified: user.email_verified,
            role: user.role,
            staff_roles: user.staff_roles,
            disabled: user.disabled_at.is_some(),
            disabled_at: user.disabled_at,
            created_at: user.created_at,
        }
    }
}

/// List accounts
///
/// For administrators: newest first.
#[utoipa::path(
    get, path = "/api/v1/auth/users", operation_id = "list_users", tag = "user",
    params(ListUsers), security(("token" = ["admin"])),
    responses(
        (status = 200, description = "A page of accounts", body = [UserView], headers(
            ("Link" = String, description = "The next page, with rel=next; absent on the last one"),
            ("X-Total-Count" = i64, description = "How many there are on all pages"),
        )),
        Refusals<Administrator>,
    )
)]
pub async fn list_users(
    State(state): State<AppState>,
    _: Administrator,
    Query(query): Query<ListUsers>,
) -> Result<impl IntoResponse, Problem> {
    let filter = Filter {
        search: query.search.as_deref(),
        role: query.role,
        staff_role: query.staff_role,
        disabled: query.disabled,
    };
    let page = Page { page: query.page, limit: query.limit };
    let Users { page: found, total } = app::list_users(&state, filter, page).await?;
    let users: Vec<_> = found.into_iter().map(UserView::from).collect();
    let filters = [
        ("search", query.search),
        ("role", query.role.map(|role| role.as_str().to_owned())),
        ("staff_role", query.staff_role.map(|role| role.to_string())),
        ("disabled", query.disabled.map(|disabled| disabled.to_string())),
    ];
    Ok((list_headers(PATH, total, filters, page.next(total)), axum::Json(users)))
}

/// Get an account
///
/// For administrators.
#[utoipa::path(
    get, path = "/api/v1/auth/users/{id}", operation_id = "get_user", tag = "user",
    params(("id" = UserId, Path, description = "The account")), security(("token" = ["admin"])),
    responses(
        (status = 200, description = "The account", body = UserView),
        Refusals<Administrator, code::UnknownUser>,
    )
)]
pub async fn get_user(
    State(state): State<AppState>,
    _: Administrator,
    Path(id): Path<UserId>,
) -> Result<impl IntoResponse, Problem> {
    Ok(axum::Json(UserView::from(app::find_user(&state, id).await?)))
}

/// Change what an account may do
///
/// For administrators: gives and takes roles, disables and enables. Whoever may less than before is logged out everywhere; what
/// is given counts from the next refresh or login on. Somebody has to remain who can run the shop.
#[utoipa::path(
    put, path = "/api/v1/auth/users/{id}", operation_id = "update_user", tag = "user",
    params(("id" = UserId, Path, description = "The account")), security(("token" = ["admin"])),
    request_body = UserUpdate,
    responses(
        (status = 200, description = "The account as it is now", body = UserView),
        Refusals<Administrator, ManageUserError>,
    )
)]
pub async fn update_user(
    State(state): State<AppState>,
    Administrator(admin): Administrator,
    Path(id): Path<UserId>,
    Json(body): Json<UserUpdate>,
) -> Result<impl IntoResponse, Problem> {
    let change = UserChange { disabled: body.disabled, role: body.role, staff_roles: body.staff_roles };
    Ok(axum::Json(UserView::from(app::change_user(&state, id, &change, admin.id).await?)))
}

/// End all sessions of an account
///
/// For administrators: logs its owner out everywhere, and whoever else has a session of it.
#[utoipa::path(
    delete, path = "/api/v1/auth/users/{id}/sessions", operation_id = "end_user_sessions", tag = "user",
    params(("id" = UserId, Path, description = "The account")), security(("token" = ["admin"])),
    responses(
        (status = 204, description = "The sessions have ended"),
        Refusals<Administrator, code::UnknownUser>,
    )
)]
pub async fn end_user_sessions(
    State(state): State<AppState>,
    Administrator(admin): Administrator,
    Path(id): Path<UserId>,
) -> Result<impl IntoResponse, Problem> {
    app::end_all_sessions(&state, id, admin.id).await?;
    Ok(StatusCode::NO_CONTENT)
}
