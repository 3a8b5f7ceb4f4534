//! Reading orders and their timelines, and cancelling orders.

use axum::{extract::State, http::HeaderMap, response::IntoResponse};
use chassis::{
    OptionalJson, Path, Problem, Query, User,
    auth::{StaffRole, Support},
    http::{Page, Refusals, list_headers},
    rules::not_blank,
};
use contracts::{OrderId, UserId};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    AppState,
    app::{self, CancelOrderError, OrderPage},
    domain::{HistoryEntry, Order, Status},
    error::{Code, code},
    store::orders::Part,
};

/// Who sees everybody's orders: what is paid, what is to leave, and what customers ask about.
const READERS: &[StaffRole] = &[StaffRole::Fulfilment, StaffRole::Finance, StaffRole::Support];

/// Which of one's own orders to list.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Only orders that have this status.
    #[garde(skip)]
    status: Option<Status>,
    /// At most so many orders, the newest first.
    #[serde(default = "Page::ten")]
    #[garde(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: i64,
    /// Only orders older than this one: the last id of the part before.
    #[garde(skip)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 9_223_372_036_854_775_807_i64)]
    before: Option<OrderId>,
}

/// Which of everybody's orders to list.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListAllQuery {
    /// Only orders that have this status.
    #[garde(skip)]
    status: Option<Status>,
    /// Only the orders of this customer.
    #[garde(skip)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 9_223_372_036_854_775_807_i64)]
    user_id: Option<UserId>,
    /// At most so many orders, the newest first.
    #[serde(default = "Page::ten")]
    #[garde(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: i64,
    /// Only orders older than this one: the last id of the part before.
    #[garde(skip)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 9_223_372_036_854_775_807_i64)]
    before: Option<OrderId>,
}

/// Why the order is to be cancelled.
#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CancelOrder {
    /// In the words of who cancels.
    #[garde(length(chars, min = 1, max = 255), inner(custom(not_blank)))]
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
        example = "Ordered by mistake"
    )]
    reason: Option<String>,
}

/// List one's own orders
///
/// Newest first; for the staff also only their own.
#[utoipa::path(
    get,
    path = "/api/v1/order",
    operation_id = "list_orders",
    tag = "order",
    params(ListQuery),
    security(("token" = [])),
    responses((status = 200, description = "A part of the list", body = Vec<Order>, headers(
        ("X-Total-Count" = i64, description = "How many orders the whole list has"),
        ("Link" = String, description = "`rel=\"next\"`: the part that follows, if there is one"),
    )))
)]
pub(super) async fn list_orders(
    State(state): State<AppState>,
    user: User,
    Query(query): Query<ListQuery>,
) -> Result<impl IntoResponse, Problem> {
    let ListQuery { status, limit, before } = query;
    let listed = app::list_orders(&state, Some(user.id()), Part { status, before, limit }).await?;
    Ok(reply("/api/v1/order", listed, None, status, limit))
}

/// List everybody's orders
///
/// Newest first. For administrators and support.
#[utoipa::path(
    get,
    path = "/api/v1/order/all",
    operation_id = "list_all_orders",
    tag = "order",
    params(ListAllQuery),
    security(("token" = ["support"])),
    responses(
        (status = 200, description = "A part of the list", body = Vec<Order>, headers(
            ("X-Total-Count" = i64, description = "How many orders the whole list has"),
            ("Link" = String, description = "`rel=\"next\"`: the part that follows, if there is one"),
        )),
        Refusals<Support>,
    )
)]
pub(super) async fn list_all_orders(
    State(state): State<AppState>,
    _: Support,
    Query(query): Query<ListAllQuery>,
) -> Result<impl IntoResponse, Problem> {
    let ListAllQuery { status, user_id, limit, before } = query;
    let listed = app::list_orders(&state, user_id, Part { status, before, limit }).await?;
    Ok(reply("/api/v1/order/all", listed, user_id, status, limit))
}

/// A part of a list, with the way to the next one.
fn reply(
    path: &str,
    listed: OrderPage,
    buyer: Option<UserId>,
    status: Option<Status>,
    limit: i64,
) -> (HeaderMap, axum::Json<Vec<Order>>) {
    let filters = [("status", status.map(|s| s.to_string())), ("user_id", buyer.map(|id| id.to_string()))];
    let next = listed.next_before.map(|before| [("limit", limit), ("before", before.get())]);
    let headers = list_headers(path, listed.total, filters, next);
    (headers, axum::Json(listed.orders))
}

/// Get an order
///
/// For its buyer, administrators, fulfilment, finance and support.
#[utoipa::path(
    get,
    path = "/api/v1/order/{id}",
    operation_id = "get_order",
    tag = "order",
    params(("id" = OrderId, Path, description = "The order")),
    security(("token" = [])),
    extensions(("x-sees-all" = json!(["finance", "fulfilment", "support"]))),
    responses(
        (status = 200, description = "The order", body = Order),
        Refusals<code::UnknownOrder>,
    )
)]
pub(super) async fn get_order(
    State(state): State<AppState>,
    user: User,
    Path(id): Path<OrderId>,
) -> Result<axum::Json<Order>, Problem> {
    let order = app::find_order(&state, id, user.scope(READERS)).await?;
    Ok(axum::Json(order.ok_or(Code::UnknownOrder)?))
}

/// Get the timeline of an order
///
/// Oldest first: every change of state, and notes (`from` and `to` are the same) about what changed nothing.
#[utoipa::path(
    get,
    path = "/api/v1/order/{id}/events",
    operation_id = "list_order_events",
    tag = "order",
    params(("id" = OrderId, Path, description = "The order")),
    security(("token" = [])),
    extensions(("x-sees-all" = json!(["finance", "fulfilment", "support"]))),
    responses(
        (status = 200, description = "The timeline", body = Vec<HistoryEntry>),
        Refusals<code::UnknownOrder>,
    )
)]
pub(super) async fn list_order_events(
    State(state): State<AppState>,
    user: User,
    Path(id): Path<OrderId>,
) -> Result<axum::Json<Vec<HistoryEntry>>, Problem> {
    let history = app::list_history(&state, id, user.scope(READERS)).await?;
    // Every order has at least the row of its beginning.
    if history.is_empty() { Err(Code::UnknownOrder.into()) } else { Ok(axum::Json(history)) }
}

/// Cancel an order
///
/// Before it is paid, by its buyer or an administrator; a paid one that has not left yet, by an administrator. The
/// goods go back into the stock, and what was paid is given back. Cancelling twice is cancelling once. After a 503 with
/// `payment_unknown` or `delivery_unavailable` the cancellation goes on by itself, and ends with the answer to it.
#[utoipa::path(
    post,
    path = "/api/v1/order/{id}/cancel",
    operation_id = "cancel_order",
    tag = "order",
    params(("id" = OrderId, Path, description = "The order")),
    request_body(content = Option<CancelOrder>, description = "May be left out"),
    security(("token" = [])),
    responses(
        (status = 200, body = Order, description = "The order, which is CANCELLED"),
        Refusals<CancelOrderError>,
    )
)]
pub(super) async fn cancel_order(
    State(state): State<AppState>,
    user: User,
    Path(id): Path<OrderId>,
    OptionalJson(CancelOrder { reason }): OptionalJson<CancelOrder>,
) -> Result<axum::Json<Order>, Problem> {
    Ok(axum::Json(app::cancel_order(&state, &user, id, reason).await?))
}
