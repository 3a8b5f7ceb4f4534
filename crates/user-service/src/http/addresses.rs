//! One's address book: every route is about the caller's own addresses.

use axum::{extract::State, http::StatusCode, response::IntoResponse};
use chassis::{Json, Path, Problem, http::Refusals};
use contracts::AddressId;

use super::Caller;
use crate::{
    AppState, app,
    domain::{Address, AddressMembers},
    error::code,
};

/// List addresses
///
/// The whole address book, in the order added; at most 20.
#[utoipa::path(
    get, path = "/api/v1/auth/addresses", operation_id = "list_addresses", tag = "address",
    security(("token" = [])),
    responses((status = 200, description = "The addresses", body = [Address]))
)]
pub async fn list_addresses(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<impl IntoResponse, Problem> {
    Ok(axum::Json(app::list_addresses(&state, caller.account.id).await?))
}

/// Add an address
///
/// The first address is the default unless `is_default` is false.
#[utoipa::path(
    post, path = "/api/v1/auth/addresses", operation_id = "add_address", tag = "address",
    security(("token" = [])),
    request_body = AddressMembers,
    responses(
        (status = 201, description = "The address", body = Address),
        Refusals<code::LimitReached>,
    )
)]
pub async fn add_address(
    State(state): State<AppState>,
    caller: Caller,
    Json(body): Json<AddressMembers>,
) -> Result<impl IntoResponse, Problem> {
    let address = app::add_address(&state, caller.account.id, body).await?;
    Ok((StatusCode::CREATED, axum::Json(address)))
}

/// Replace an address
///
/// Members that are left out are removed, but for `is_default`, which stays as it is.
#[utoipa::path(
    put, path = "/api/v1/auth/addresses/{id}", operation_id = "replace_address", tag = "address",
    security(("token" = [])),
    params(("id" = AddressId, Path, description = "The address")),
    request_body = AddressMembers,
    responses(
        (status = 200, description = "The address as it is now", body = Address),
        Refusals<code::NotYours>,
    )
)]
pub async fn replace_address(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<AddressId>,
    Json(body): Json<AddressMembers>,
) -> Result<impl IntoResponse, Problem> {
    Ok(axum::Json(app::replace_address(&state, caller.account.id, id, body).await?))
}

/// Delete an address
///
/// If it was the default, the oldest of the others becomes it.
#[utoipa::path(
    delete, path = "/api/v1/auth/addresses/{id}", operation_id = "delete_address", tag = "address",
    security(("token" = [])),
    params(("id" = AddressId, Path, description = "The address")),
    responses(
        (status = 204, description = "The address is gone"),
        Refusals<code::NotYours>,
    )
)]
pub async fn delete_address(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<AddressId>,
) -> Result<impl IntoResponse, Problem> {
    app::delete_address(&state, caller.account.id, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
