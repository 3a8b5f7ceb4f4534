//! Placing an order, under its two paths.

use axum::{
    extract::State,
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_TYPE, LOCATION},
    },
    response::{IntoResponse, Response},
};
use chassis::{IDEMPOTENCY_REPLAYED, IdempotencyKey, OptionalJson, Problem, User};

use crate::{
    AppState, app,
    domain::{NewOrder, Receipt},
};

/// Place an order
///
/// Orders the whole cart, or only the products named. Names and prices are those of this moment. The goods are held next, and
/// then the order can be paid: its `status` becomes `AWAITING_PAYMENT` and `payment_url` appears. The cart is emptied of
/// what was bought once it is paid. With an Idempotency-Key a repeated request gets the first one's reply.
#[utoipa::path(
    post,
    path = "/api/v1/order",
    operation_id = "place_order",
    tag = "order",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = r"^[\x21-\x7E]+$",
        description = "Recommended: a repetition with the same key gets the first reply, for 24 hours. 1 to 255 visible ASCII \
            characters", example = "cart-7-2026-11-24")),
    request_body(content = Option<NewOrder>, description = "May be left out: then it is the whole cart"),
    security(("token" = [])),
    responses(
        (status = 201, description = "The order was received", body = Receipt, headers(
            ("Location" = String, description = "Path of the order"),
            ("Idempotency-Replayed" = String, description = "`true` if this is the reply to an earlier request"),
        )),
        (status = 409, description = "`product_unavailable`, `price_changed`, `too_many_open_orders` or `too_many_units`"),
        (status = 422, description = "`empty_cart`, `not_in_cart`, `total_too_large` or `idempotency_key_reused`"),
        (status = 429, description = "`too_many_requests`: a buyer orders too often; see Retry-After"),
        (status = 503, description = "`cart_unavailable` or `catalogue_unavailable`; or something else that this needs \
            does not answer: see Retry-After"),
    )
)]
pub(super) async fn place_order(
    state: State<AppState>,
    user: User,
    key: IdempotencyKey,
    wish: OptionalJson<NewOrder>,
) -> Result<Response, Problem> {
    place(state, user, key, wish).await
}

/// Place an order (same as POST /order)
///
/// The same as `POST /api/v1/order`, Idempotency-Keys included.
#[utoipa::path(
    post,
    path = "/api/v1/checkout",
    operation_id = "checkout",
    tag = "order",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = r"^[\x21-\x7E]+$",
        description = "Recommended: a repetition with the same key gets the first reply, for 24 hours. 1 to 255 visible ASCII \
            characters", example = "cart-7-2026-11-24")),
    request_body(content = Option<NewOrder>, description = "May be left out: then it is the whole cart"),
    security(("token" = [])),
    responses(
        (status = 201, description = "The order was received", body = Receipt, headers(
            ("Location" = String, description = "Path of the order"),
            ("Idempotency-Replayed" = String, description = "`true` if this is the reply to an earlier request"),
        )),
        (status = 409, description = "`product_unavailable`, `price_changed`, `too_many_open_orders` or `too_many_units`"),
        (status = 422, description = "`empty_cart`, `not_in_cart`, `total_too_large` or `idempotency_key_reused`"),
        (status = 429, description = "`too_many_requests`: a buyer orders too often; see Retry-After"),
        (status = 503, description = "`cart_unavailable` or `catalogue_unavailable`; or something else that this needs \
            does not answer: see Retry-After"),
    )
)]
pub(super) async fn checkout(
    state: State<AppState>,
    user: User,
    key: IdempotencyKey,
    wish: OptionalJson<NewOrder>,
) -> Result<Response, Problem> {
    place(state, user, key, wish).await
}

async fn place(
    State(state): State<AppState>,
    user: User,
    IdempotencyKey(key): IdempotencyKey,
    OptionalJson(wish): OptionalJson<NewOrder>,
) -> Result<Response, Problem> {
    let placed = app::place_order::place_order(&state, user.id(), wish, key.as_deref()).await?;
    let headers =
        [(CONTENT_TYPE, "application/json".to_owned()), (LOCATION, format!("/api/v1/order/{}", placed.id))];
    let mut response = (StatusCode::CREATED, headers, placed.body).into_response();
    if placed.replayed {
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}
