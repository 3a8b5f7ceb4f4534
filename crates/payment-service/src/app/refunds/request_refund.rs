//! The refund route: an administrator refunds money, through Midtrans or by hand.

use contracts::{OrderId, UserId, events::RefundCause};
use jobs::{Job, Queue};
use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;
use sqlx::{PgConnection, PgTransaction};

use crate::{
    AppState,
    app::{
        MakeRefund,
        refunds::record_refund::{RefundMade, record_refund},
    },
    domain::{Payment, Refund, RefundMethod, RefundState, left_to_refund},
    store::{self, NewRefund, View},
};

/// A refund as the administrator asks for it. A repetition with the same key has to ask for the same.
#[derive(Debug, Clone, Serialize)]
pub struct RefundRequest {
    /// How much, in rupiah; all that is left if not said.
    pub amount: Option<i64>,
    pub reason: Option<String>,
    /// The reference of a refund that was made by hand.
    pub reference: Option<String>,
}

/// Who asks, and so in whose name order-service is asked.
#[derive(Debug)]
pub struct Requester {
    pub user_id: UserId,
    /// The administrator's access token: order-service is asked with it.
    pub token: SecretString,
    /// The Idempotency-Key, if there is one.
    pub key: Option<String>,
}

#[derive(Debug)]
pub struct Answer {
    /// The payment, as it was when the refund was accepted.
    pub body: Value,
    /// It is the reply to an earlier request with the same key.
    pub replayed: bool,
}

/// Why the request is refused.
#[derive(Debug, thiserror::Error)]
pub enum RequestRefundError {
    #[error("the order has no payment")]
    Unknown,
    /// More than this cannot go back, which may be nothing.
    #[error("at most {0} rupiah can go back")]
    NotRefundable(i64),
    /// All of it would go back while the goods can still be kept: the order has to be cancelled instead.
    #[error("the order can be cancelled")]
    CancelFirst,
    /// A refund of this payment has the same reference: it was entered before.
    #[error("the reference was used before")]
    ReferenceUsed,
    /// No refund waits to be made by hand, so the amount of one has to be named.
    #[error("the amount is missing")]
    AmountMissing,
    /// The key was used for another request.
    #[error("the key was used for another request")]
    KeyReused,
    /// order-service did not say whether the goods have left.
    #[error("order-service did not answer")]
    Orders(#[source] reqwest::Error),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The reply does not serialise: a bug.
    #[error("the reply cannot be written")]
    Reply(#[from] serde_json::Error),
    /// A bug: the concurrent duplicate had the key and has left no reply.
    #[error("the key was claimed without a reply")]
    NoReply,
}

/// Accepts a refund. `show` turns the payment into the reply, which a repetition with the same key gets again.
///
/// # Errors
/// If it is not accepted: nothing has changed then.
pub async fn request_refund(
    state: &AppState,
    requester: &Requester,
    order_id: OrderId,
    request: &RefundRequest,
    show: impl Fn(View) -> serde_json::Result<Value>,
) -> Result<Answer, RequestRefundError> {
    let keyed = Keyed::new(requester, order_id, request)?;
    let mut db = state.db.acquire().await?;
    if let Some(answer) = keyed.replay(&mut db).await? {
        return Ok(answer);
    }
    let payment = store::find_payment(&mut db, order_id).await?.ok_or(RequestRefundError::Unknown)?;
    let refunds = store::list_refunds(&mut db, order_id).await?;
    drop(db);
    let mut all = decide(&payment, &refunds, request)?.gives_all_back();
    loop {
        if all {
            require_goods_gone(state, order_id, requester).await?;
        }
        if let Some(answer) = accept(state, &keyed, order_id, request, all, &show).await? {
            return Ok(answer);
        }
        // Another refund has come in between, so that this one takes the rest: nobody was asked about that.
        all = true;
    }
}

/// Accepts a refund in one transaction. `None`, and nothing has changed, if it gives all back and must not.
async fn accept(
    state: &AppState,
    keyed: &Keyed<'_>,
    order_id: OrderId,
    request: &RefundRequest,
    may_give_all_back: bool,
    show: &impl Fn(View) -> serde_json::Result<Value>,
) -> Result<Option<Answer>, RequestRefundError> {
    let mut tx = state.db.begin().await?;
    if !keyed.take(&mut tx).await? {
        drop(tx);
        let answer = keyed.replay(&mut *state.db.acquire().await?).await?;
        return answer.ok_or(RequestRefundError::NoReply).map(Some);
    }
    let mut payment = store::lock_payment(&mut tx, order_id).await?.ok_or(RequestRefundError::Unknown)?;
    let refunds = store::list_refunds(&mut tx, order_id).await?;
    let decision = decide(&payment, &refunds, request)?;
    if decision.gives_all_back() && !may_give_all_back {
        return Ok(None);
    }
    carry_out(&mut tx, &mut payment, decision, request).await?;
    let view = store::find_view(&mut tx, order_id, None).await?.ok_or(RequestRefundError::Unknown)?;
    let body = show(view)?;
    keyed.keep(&mut tx, &body).await?;
    state.outbox.commit(tx).await?;
    state.jobs.wake();
    Ok(Some(Answer { body, replayed: false }))
}

/// All of it goes back only if the goods have left: before that, the order is cancelled instead.
async fn require_goods_gone(
    state: &AppState,
    order_id: OrderId,
    requester: &Requester,
) -> Result<(), RequestRefundError> {
    match state.orders.can_be_cancelled(order_id, &requester.token).await {
        Ok(false) => Ok(()),
        Ok(true) => Err(RequestRefundError::CancelFirst),
        Err(error) => Err(RequestRefundError::Orders(error)),
    }
}

/// What a request comes down to.
#[derive(Debug, Clone, Copy)]
enum Decision<'a> {
    /// A refund that waits for a person was made.
    CloseManual(&'a Refund),
    /// A new refund of so many rupiah; `all` if nothing is left afterwards.
    New { amount: i64, all: bool },
}

impl Decision<'_> {
    fn gives_all_back(self) -> bool {
        matches!(self, Self::New { all: true, .. })
    }
}

fn decide<'a>(
    payment: &Payment,
    refunds: &'a [Refund],
    request: &RefundRequest,
) -> Result<Decision<'a>, RequestRefundError> {
    let waiting = |refund: &&Refund| {
        refund.state == RefundState::Manual && request.amount.is_none_or(|amount| amount == refund.amount)
    };
    if request.reference.is_some() {
        if refunds.iter().any(|refund| refund.reference == request.reference) {
            return Err(RequestRefundError::ReferenceUsed);
        }
        if let Some(refund) = refunds.iter().find(waiting) {
            return Ok(Decision::CloseManual(refund));
        }
    }
    let paid = payment.paid.as_ref().filter(|_| payment.status.is_paid());
    let left = paid.map_or(0, |paid| left_to_refund(paid.amount, refunds, &paid.transaction_id));
    if left > 0 && request.reference.is_some() && request.amount.is_none() {
        return Err(RequestRefundError::AmountMissing);
    }
    let amount = request.amount.unwrap_or(left);
    if amount < 1 || amount > left {
        return Err(RequestRefundError::NotRefundable(left));
    }
    Ok(Decision::New { amount, all: amount == left })
}

async fn carry_out(
    tx: &mut PgTransaction<'_>,
    payment: &mut Payment,
    decision: Decision<'_>,
    request: &RefundRequest,
) -> sqlx::Result<()> {
    let reference = request.reference.as_deref();
    let (id, made, transaction_id) = match decision {
        Decision::CloseManual(refund) => {
            let made = RefundMade { cause: refund.cause, amount: refund.amount };
            (Some(refund.id), made, refund.transaction_id.clone())
        }
        Decision::New { amount, .. } => {
            let made = RefundMade { cause: RefundCause::Admin, amount };
            let Some(paid) = payment.paid.clone() else { return Ok(()) };
            let refund = NewRefund {
                order_id: payment.order_id,
                midtrans_order_id: &paid.midtrans_order_id,
                transaction_id: &paid.transaction_id,
                cause: made.cause,
                amount,
                reason: request.reason.as_deref(),
            };
            (store::insert_refund(tx, &refund).await?, made, paid.transaction_id)
        }
    };
    let Some(id) = id else { return Ok(()) };
    if reference.is_none() {
        return Queue::enqueue(tx, [MakeRefund::of(&id).now()]).await;
    }
    store::complete_refund(tx, id, Some(RefundMethod::Manual), reference).await?;
    if payment.paid_by_another(&transaction_id) {
        return Ok(());
    }
    record_refund(tx, payment, made, "refunded_by_hand").await
}

/// A request with its Idempotency-Key, if it has one.
struct Keyed<'a> {
    requester: &'a Requester,
    route: String,
    request: Value,
}

impl<'a> Keyed<'a> {
    fn new(
        requester: &'a Requester,
        order_id: OrderId,
        request: &RefundRequest,
    ) -> Result<Self, RequestRefundError> {
        let route = format!("POST /payment/{order_id}/refund");
        Ok(Self { requester, route, request: serde_json::to_value(request)? })
    }

    /// The stored reply, if the key was used.
    async fn replay(&self, db: &mut PgConnection) -> Result<Option<Answer>, RequestRefundError> {
        let Some(key) = &self.requester.key else { return Ok(None) };
        let Some(known) = store::find_reply(db, self.requester.user_id, &self.route, key).await? else {
            return Ok(None);
        };
        if known.request != self.request {
            return Err(RequestRefundError::KeyReused);
        }
        Ok(known.reply.map(|body| Answer { body, replayed: true }))
    }

    /// Claims the key, or waits for the concurrent duplicate that has it; false if that one has succeeded.
    async fn take(&self, tx: &mut PgTransaction<'_>) -> sqlx::Result<bool> {
        match &self.requester.key {
            Some(key) => store::claim_key(tx, self.requester.user_id, &self.route, key, &self.request).await,
            None => Ok(true),
        }
    }

    async fn keep(&self, tx: &mut PgTransaction<'_>, body: &Value) -> sqlx::Result<()> {
        match &self.requester.key {
            Some(key) => store::record_reply(tx, self.requester.user_id, &self.route, key, body).await,
            None => Ok(()),
        }
    }
}
