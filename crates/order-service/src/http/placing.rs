//! Placing an order, under its two paths.

use axum::{
    Json,
    extract::State,
    http::{
        HeaderValue, StatusCode,
        header::{HeaderMap, LOCATION},
    },
    response::IntoResponse,
};
use chassis::{IDEMPOTENCY_REPLAYED, IdempotencyKey, OptionalJson, Problem, User, http::Refusals};

use crate::{
    AppState,
    app::{self, PlaceOrderError},
    domain::{NewOrder, Receipt},
};

/// A route that places an order. Both have the same parameters and answers.
macro_rules! placing_route {
    ($(#[$doc:meta])* $name:ident, $path:literal) => {
        $(#[$doc])*
        #[utoipa::path(
            post,
            path = $path,
            operation_id = stringify!($name),
            tag = "order",
            params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255,
                pattern = r"^[\x21-\x7E]+$",
                description = "Recommended: a repetition with the same key gets the first reply, for 24 hours. 1 to 255 \
                    visible ASCII characters", example = "cart-7-2026-11-24")),
            request_body(content = Option<NewOrder>, description = "May be left out: then it is the whole cart"),
            security(("token" = [])),
            responses(
                (status = 201, description = "The order was received", body = Receipt, headers(
                    ("Location" = String, description = "Path of the order"),
                    ("Idempotency-Replayed" = String,
                        description = "`true` if this is the reply to an earlier request"),
                )),
                Refusals<PlaceOrderError>,
            )
        )]
        pub(super) async fn $name(
            State(state): State<AppState>,
            user: User,
            IdempotencyKey(key): IdempotencyKey,
            OptionalJson(new): OptionalJson<NewOrder>,
        ) -> Result<impl IntoResponse, Problem> {
            let placed = app::place_order(&state, &user, new, key).await?;
            reply(placed.receipt, placed.replayed)
        }
    };
}

placing_route! {
    /// Place an order
    ///
    /// Orders the whole cart, or only the products named. Names and prices are those of this moment. The goods are held next, and
    /// then the order can be paid: its `status` becomes `AWAITING_PAYMENT` and `payment_url` appears. The cart is emptied of
    /// what was bought once it is paid. With an Idempotency-Key a repeated request gets the first one's reply. Where the shop
    /// wants e-mail addresses to be verified, an account whose address is not gets 409 `email_not_verified`; a token says so
    /// from the first refresh after the verification on.
    place_order, "/api/v1/order"
}
placing_route! {
    /// Place an order (same as POST /order)
    ///
    /// The same as `POST /api/v1/order`, Idempotency-Keys included.
    checkout, "/api/v1/checkout"
}

fn reply(receipt: Receipt, replayed: bool) -> Result<impl IntoResponse, Problem> {
    let location = HeaderValue::try_from(format!("/api/v1/order/{}", receipt.order_id));
    let mut headers = HeaderMap::from_iter([(LOCATION, location.map_err(Problem::internal)?)]);
    if replayed {
        headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    Ok((StatusCode::CREATED, headers, Json(receipt)))
}
