//! Applies what is known of an attempt to its payment: classify, transition by T2, effects. Every answer of Midtrans comes
//! through here, whether a notification, a poll, a request or an action of ours caused the question.

use contracts::events::{
    PaymentFailed, PaymentFailure, PaymentRefunded, PaymentReversed, PaymentSuccess, RefundCause,
};
use jobs::{Job, Queue};
use midtrans::{Transaction, TransactionStatus};
use sqlx::PgTransaction;
use time::OffsetDateTime;

use crate::{
    AppState,
    app::{
        MakeRefund, VoidAttempt, publish,
        refunds::{
            make_refund::enqueue_refund,
            record_refund::{RefundMade, record_refund},
        },
    },
    domain::{
        Answer, Attempt, Booking, Canceller, Effect, Observation, Paid, Payment, Refund, RefundMethod,
        Status, Transition, bookings, classify,
    },
    store::{self, NewRefund},
};

/// What is known of an attempt.
#[derive(Debug, Clone, Copy)]
pub enum Finding<'a> {
    /// What Midtrans answered.
    Observed(&'a Observation),
    /// Midtrans closed it for us because the order ended.
    Closed,
    /// Midtrans closed it for us at its end.
    TimedOut,
}

/// Applies a finding and returns where the payment stands then; `None` if the attempt is not ours.
pub async fn settle(
    state: &AppState,
    midtrans_order_id: &str,
    finding: Finding<'_>,
) -> sqlx::Result<Option<Status>> {
    let mut tx = state.db.begin().await?;
    let Some(attempt) = store::find_attempt(&mut tx, midtrans_order_id).await? else { return Ok(None) };
    let Some(mut payment) = store::lock_payment(&mut tx, attempt.order_id).await? else { return Ok(None) };
    match finding {
        Finding::Observed(observation) => observe(&mut tx, &mut payment, &attempt, observation).await?,
        Finding::Closed => {
            transition(&mut tx, &mut payment, Answer::Closed, &Context::ours(&attempt, "closed")).await?;
        }
        Finding::TimedOut => {
            transition(&mut tx, &mut payment, Answer::TimedOut, &Context::ours(&attempt, "timed_out"))
                .await?;
        }
    }
    state.outbox.commit(tx).await?;
    Ok(Some(payment.status))
}

/// What an answer is about.
struct Context<'a> {
    attempt: &'a Attempt,
    /// What Midtrans says; nothing where it only confirmed what we did.
    transaction: Option<&'a Transaction>,
    /// The refunds of that transaction that we know.
    refunds: Vec<Refund>,
    /// The word for it in the history.
    cause: &'a str,
}

impl<'a> Context<'a> {
    fn ours(attempt: &'a Attempt, cause: &'a str) -> Self {
        Self { attempt, transaction: None, refunds: Vec::new(), cause }
    }
}

async fn observe(
    tx: &mut PgTransaction<'_>,
    payment: &mut Payment,
    attempt: &Attempt,
    observation: &Observation,
) -> sqlx::Result<()> {
    let transaction = &observation.transaction;
    let ours = observation.is_of(attempt, payment.amount)
        && store::record_transaction(tx, &attempt.midtrans_order_id, transaction).await?;
    if !ours {
        let transaction_id = &transaction.transaction_id;
        tracing::warn!(order.id = %payment.order_id, transaction_id, "transaction of another order was ignored");
        return Ok(());
    }
    if attempt.captured && transaction.transaction_status == TransactionStatus::Settlement {
        let waiting =
            store::list_requested_refunds(tx, attempt.order_id, &transaction.transaction_id).await?;
        Queue::enqueue(tx, waiting.iter().map(|id| MakeRefund::of(id).now())).await?;
    }
    let refunds = known_refunds(tx, payment, transaction).await?;
    let answer = classify(transaction, payment.amount, canceller(payment, attempt, &refunds));
    let cause = transaction.transaction_status.as_str();
    let context = Context { attempt, transaction: Some(transaction), refunds, cause };
    if payment.paid_by_another(&transaction.transaction_id) {
        return observe_another(tx, payment, answer, transaction, &context).await;
    }
    transition(tx, payment, answer, &context).await
}

/// Who has cancelled the transaction, if it is cancelled. An intention to close an attempt says nothing once it is paid.
fn canceller(payment: &Payment, attempt: &Attempt, refunds: &[Refund]) -> Canceller {
    let by_cancel = |refund: &Refund| refund.method == Some(RefundMethod::Cancel);
    if refunds.iter().any(by_cancel) {
        Canceller::Refund
    } else if attempt.closing && payment.status.is_open() {
        Canceller::Closing
    } else {
        Canceller::Other
    }
}

/// The refunds of a transaction, for the answers that may be about one.
async fn known_refunds(
    tx: &mut PgTransaction<'_>,
    payment: &Payment,
    transaction: &Transaction,
) -> sqlx::Result<Vec<Refund>> {
    use TransactionStatus::{Cancel, PartialRefund, Refund};
    if !matches!(transaction.transaction_status, Cancel | PartialRefund | Refund) {
        return Ok(Vec::new());
    }
    let mut refunds = store::list_refunds(tx, payment.order_id).await?;
    refunds.retain(|refund| refund.transaction_id == transaction.transaction_id);
    Ok(refunds)
}

/// The order was paid by another transaction: what this one took is refunded, and the payment stays as it is.
async fn observe_another(
    tx: &mut PgTransaction<'_>,
    payment: &Payment,
    answer: Answer,
    transaction: &Transaction,
    context: &Context<'_>,
) -> sqlx::Result<()> {
    match answer {
        Answer::Paid | Answer::PaidOtherwise => {
            tracing::warn!(order.id = %payment.order_id, "order was paid twice: refunding the second payment");
            refund_late(tx, payment, context, transaction).await
        }
        Answer::Challenged => void(tx, context.attempt).await,
        Answer::TakenBack | Answer::PartlyRefunded | Answer::Refunded => {
            for booking in bookings(&context.refunds, transaction) {
                if let Booking::Ours(id) = booking {
                    store::complete_refund(tx, id, None, None).await?;
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

async fn transition(
    tx: &mut PgTransaction<'_>,
    payment: &mut Payment,
    answer: Answer,
    context: &Context<'_>,
) -> sqlx::Result<()> {
    let Transition { to, effects } = payment.on(answer);
    let from = payment.status;
    if to != from {
        store::move_payment(tx, payment.order_id, from, to, context.cause).await?;
        payment.status = to;
        tracing::info!(order.id = %payment.order_id, cause = context.cause, "payment moved from {from} to {to}");
    }
    for effect in effects {
        apply(tx, payment, effect, context).await?;
    }
    Ok(())
}

async fn apply(
    tx: &mut PgTransaction<'_>,
    payment: &mut Payment,
    effect: Effect,
    context: &Context<'_>,
) -> sqlx::Result<()> {
    let order_id = payment.order_id;
    match (effect, context.transaction) {
        (Effect::RecordPayment, Some(transaction)) => {
            let paid = Paid::by(context.attempt, transaction, OffsetDateTime::now_utc());
            store::record_payment(tx, order_id, &paid).await?;
            payment.paid = Some(paid);
            Ok(())
        }
        (Effect::RefundLate, Some(transaction)) => refund_late(tx, payment, context, transaction).await,
        (Effect::RecordRefunds, Some(transaction)) => record_refunds(tx, payment, context, transaction).await,
        // Without a transaction there is no money that any of these could be about.
        (Effect::RecordPayment | Effect::RefundLate | Effect::RecordRefunds, None) => Ok(()),
        (Effect::PublishSuccess, _) => publish_success(tx, payment).await,
        (Effect::PublishFailed(reason), _) => publish_failed(tx, payment, reason).await,
        (Effect::PublishReversed(kind), _) => {
            let amount = payment.paid_amount() - payment.refunded_amount;
            tracing::error!(order.id = %order_id, ?kind, amount, "payment of a paid order was reversed");
            publish(
                tx,
                payment,
                PaymentReversed {
                    order_id,
                    user_id: Some(payment.user_id),
                    total_amount: payment.amount,
                    kind,
                    amount,
                },
            )
            .await
        }
        (Effect::PublishNothingLeft, _) => publish_nothing_left(tx, payment).await,
        (Effect::AlarmAmount, _) => {
            let (asked, paid) = (payment.amount, payment.paid_amount());
            tracing::error!(order.id = %order_id, ?asked, paid, "another amount was paid than asked for: decide the review");
            Ok(())
        }
        (Effect::Void, _) => void(tx, context.attempt).await,
    }
}

/// Publishes that the money does not come, and why.
pub(super) async fn publish_failed(
    tx: &mut PgTransaction<'_>,
    payment: &Payment,
    reason: PaymentFailure,
) -> sqlx::Result<()> {
    let (order_id, user_id, total_amount) = (payment.order_id, Some(payment.user_id), payment.amount);
    publish(tx, payment, PaymentFailed { order_id, user_id, total_amount, reason }).await
}

/// `PaymentSuccess`, if the payment is known to be paid.
pub(super) async fn publish_success(tx: &mut PgTransaction<'_>, payment: &Payment) -> sqlx::Result<()> {
    let Some(paid) = &payment.paid else { return Ok(()) };
    let event = PaymentSuccess {
        order_id: payment.order_id,
        user_id: Some(payment.user_id),
        total_amount: payment.amount,
        amount: paid.amount,
        payment_type: paid.payment_type.clone(),
        paid_at: paid.at,
    };
    publish(tx, payment, event).await
}

/// `PaymentRefunded` of nothing, for an order that waits for money which has gone already.
pub(super) async fn publish_nothing_left(tx: &mut PgTransaction<'_>, payment: &Payment) -> sqlx::Result<()> {
    let (order_id, refunded_total) = (payment.order_id, payment.refunded_amount);
    let cause = RefundCause::DeliveryFailed;
    publish(
        tx,
        payment,
        PaymentRefunded {
            order_id,
            user_id: Some(payment.user_id),
            total_amount: payment.amount,
            cause,
            amount: 0,
            refunded_total,
            full: true,
        },
    )
    .await
}

async fn void(tx: &mut PgTransaction<'_>, attempt: &Attempt) -> sqlx::Result<()> {
    Queue::enqueue(tx, [VoidAttempt::of(&attempt.midtrans_order_id).now()]).await
}

/// Refunds everything that the transaction holds.
async fn refund_late(
    tx: &mut PgTransaction<'_>,
    payment: &Payment,
    context: &Context<'_>,
    transaction: &Transaction,
) -> sqlx::Result<()> {
    let amount = transaction.charged_for_order() - transaction.refund_amount.unwrap_or_default();
    if amount > 0 {
        enqueue_refund(tx, &new_refund(payment, context, transaction, RefundCause::Late, amount)).await?;
    }
    Ok(())
}

fn new_refund<'a>(
    payment: &Payment,
    context: &'a Context<'_>,
    transaction: &'a Transaction,
    cause: RefundCause,
    amount: i64,
) -> NewRefund<'a> {
    NewRefund {
        order_id: payment.order_id,
        midtrans_order_id: &context.attempt.midtrans_order_id,
        transaction_id: &transaction.transaction_id,
        cause,
        amount,
        reason: None,
    }
}

/// Records the refunds that an answer proves. Never more than was paid: what Midtrans says of a refund is not signed by
/// anybody, and the books have to balance whatever it says.
async fn record_refunds(
    tx: &mut PgTransaction<'_>,
    payment: &mut Payment,
    context: &Context<'_>,
    transaction: &Transaction,
) -> sqlx::Result<()> {
    for booking in bookings(&context.refunds, transaction) {
        let made = match booking {
            Booking::Ours(id) => {
                store::complete_refund(tx, id, None, None).await?;
                let ours = context.refunds.iter().find(|refund| refund.id == id);
                ours.map(|refund| RefundMade { cause: refund.cause, amount: refund.amount })
            }
            Booking::Foreign { key, amount } => {
                let amount = amount.min(payment.paid_amount() - payment.refunded_amount);
                let cause = RefundCause::Admin;
                let foreign = new_refund(payment, context, transaction, cause, amount);
                let new = amount > 0 && store::insert_foreign_refund(tx, &foreign, &key).await?;
                new.then_some(RefundMade { cause, amount })
            }
        };
        if let Some(made) = made {
            record_refund(tx, payment, made, context.cause).await?;
        }
    }
    Ok(())
}
