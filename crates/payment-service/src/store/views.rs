//! A payment as its owner sees it.

use contracts::{OrderId, UserId, events::RefundCause};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, types::Json};
use time::OffsetDateTime;

use crate::domain::{RefundState, Status};

/// A payment with its page and its refunds.
#[derive(Debug)]
pub struct View {
    pub order_id: OrderId,
    pub status: Status,
    /// What the order costs, in rupiah; 0 if the order ended before that was known.
    pub amount: i64,
    /// Where to pay, while it can be paid.
    pub payment_url: Option<String>,
    pub expires_at: Option<OffsetDateTime>,
    /// Midtrans' name of the method, such as `qris`.
    pub payment_type: Option<String>,
    pub paid_at: Option<OffsetDateTime>,
    /// What went back in all, in whole rupiah.
    pub refunded_amount: i64,
    pub refunds: Json<Vec<RefundView>>,
}

/// A refund as its owner sees it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RefundView {
    pub cause: RefundCause,
    /// What goes back by it, in whole rupiah.
    pub amount: i64,
    pub state: RefundState,
    /// The reference of a refund that a person made.
    pub reference: Option<String>,
}

/// A payment, if it is the user's; `None` for everybody's.
pub async fn find_view(
    db: &mut PgConnection,
    order_id: OrderId,
    owner: Option<UserId>,
) -> sqlx::Result<Option<View>> {
    sqlx::query_as!(
        View,
        r#"select order_id as "order_id: OrderId", status as "status: Status", coalesce(amount, 0) as "amount!",
             (select payment_url from payment_attempts a
              where a.order_id = p.order_id and p.status = $3 and p.order_ended_at is null
              order by n desc limit 1) as payment_url,
             expires_at, payment_type, case when status <> $4 then paid_at end as paid_at, refunded_amount,
             (select coalesce(json_agg(json_build_object(
                  'cause', cause, 'amount', amount, 'state', state, 'reference', reference) order by id), '[]')
              from refunds r where r.order_id = p.order_id) as "refunds!: Json<Vec<RefundView>>"
         from payments p where order_id = $1 and user_id = coalesce($2, user_id)"#,
        order_id.get(),
        owner.map(UserId::get),
        Status::Pending as Status,
        Status::Review as Status,
    )
    .fetch_optional(db)
    .await
}
