//! Applies what was heard of an attempt to its payment, by T2. Every piece of news comes through here.

use contracts::events::{PaymentFailed, PaymentReversed, PaymentSuccess, RefundCause};
use midtrans::{Transaction, TransactionStatus};
use sqlx::PgTransaction;
use time::OffsetDateTime;

use super::{
    book_refund::{self, GivenBack},
    publish,
};
use crate::{
    App,
    domain::{
        Attempt, Booking, Effect, Heard, Paid, Payment, Refund, RefundMethod, Seen, Status, Step, bookings,
        see, step,
    },
    store::{self, NewRefund},
};

/// No answer leads through more states than this.
const STEPS: usize = 3;

/// Applies news of an attempt and says where its payment stands then; `None` if the attempt is not ours.
pub async fn settle(app: &App, midtrans_order_id: &str, heard: Heard<'_>) -> sqlx::Result<Option<Status>> {
    let mut tx = app.db.begin().await?;
    let Some(attempt) = store::find_attempt(&mut tx, midtrans_order_id).await? else { return Ok(None) };
    let Some(mut payment) = store::lock_payment(&mut tx, attempt.order_id).await? else { return Ok(None) };
    match heard {
        Heard::Transaction(transaction) => hear(&mut tx, &mut payment, &attempt, transaction).await?,
        Heard::Closed => {
            walk(&mut tx, &mut payment, Seen::Closed, &News::Ours { midtrans_order_id, heard }).await?;
        }
        Heard::TimedOut => {
            walk(&mut tx, &mut payment, Seen::TimedOut, &News::Ours { midtrans_order_id, heard }).await?;
        }
    }
    app.outbox.commit(tx).await?;
    Ok(Some(payment.status))
}

/// Where news come from.
enum News<'a> {
    /// Our own doing, confirmed by Midtrans.
    Ours { midtrans_order_id: &'a str, heard: Heard<'a> },
    /// What Midtrans says of a transaction, with the refunds of it that we know.
    Midtrans { transaction: &'a Transaction, refunds: Vec<Refund> },
}

impl News<'_> {
    fn midtrans_order_id(&self) -> &str {
        match self {
            Self::Ours { midtrans_order_id, .. } => midtrans_order_id,
            Self::Midtrans { transaction, .. } => &transaction.order_id,
        }
    }

    fn cause(&self) -> &str {
        match self {
            Self::Ours { heard, .. } => heard.cause(),
            Self::Midtrans { transaction, .. } => transaction.transaction_status.as_str(),
        }
    }
}

async fn hear(
    tx: &mut PgTransaction<'_>,
    payment: &mut Payment,
    attempt: &Attempt,
    transaction: &Transaction,
) -> sqlx::Result<()> {
    store::update_attempt_seen(tx, transaction).await?;
    if attempt.captured && transaction.transaction_status == TransactionStatus::Settlement {
        store::update_refunds_due(tx, attempt.order_id, &transaction.transaction_id).await?;
    }
    let refunds = known_refunds(tx, payment, transaction).await?;
    let by_cancel = |refund: &Refund| refund.method == Some(RefundMethod::Cancel);
    let seen = match see(transaction, payment.amount, refunds.iter().any(by_cancel)) {
        Seen::Cancelled if attempt.closing => Seen::Closed,
        seen => seen,
    };
    if payment.paid_by_another(&transaction.transaction_id) {
        return hear_of_another(tx, payment, transaction, seen, &refunds).await;
    }
    walk(tx, payment, seen, &News::Midtrans { transaction, refunds }).await
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

/// The order was paid by another transaction: what this one took goes back, and the payment stays what it is.
async fn hear_of_another(
    tx: &mut PgTransaction<'_>,
    payment: &Payment,
    transaction: &Transaction,
    seen: Seen,
    refunds: &[Refund],
) -> sqlx::Result<()> {
    match seen {
        Seen::Paid | Seen::PaidOtherwise => {
            tracing::warn!(order.id = %payment.order_id, "paid twice: the second payment goes back");
            refund_late(tx, payment, transaction).await
        }
        Seen::Challenged => store::insert_void(tx, &transaction.order_id, "paid_by_another").await,
        Seen::TakenBack | Seen::PartlyRefunded | Seen::Refunded => {
            for booking in bookings(refunds, transaction) {
                if let Booking::Ours(id) = booking {
                    store::update_refund_done(tx, id, None, None).await?;
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Goes from state to state until the news change nothing any more.
async fn walk(
    tx: &mut PgTransaction<'_>,
    payment: &mut Payment,
    seen: Seen,
    news: &News<'_>,
) -> sqlx::Result<()> {
    for _ in 0..STEPS {
        match step(payment.status, seen) {
            Step::Same => break,
            Step::Void => return store::insert_void(tx, news.midtrans_order_id(), "challenged_late").await,
            Step::BookRefunds => return book(tx, payment, news).await,
            Step::Move(to, effect) => {
                store::update_payment_status(tx, payment.order_id, payment.status, to, news.cause()).await?;
                tracing::info!(order.id = %payment.order_id, from = ?payment.status, ?to, cause = news.cause(), "moved");
                payment.status = to;
                follow(tx, payment, effect, news).await?;
            }
        }
    }
    Ok(())
}

/// What follows from a move.
async fn follow(
    tx: &mut PgTransaction<'_>,
    payment: &mut Payment,
    effect: Effect,
    news: &News<'_>,
) -> sqlx::Result<()> {
    let order_id = payment.order_id;
    match (effect, news) {
        (Effect::None | Effect::Succeed | Effect::RefundLate, News::Midtrans { transaction, .. }) => {
            receive(tx, payment, effect, transaction).await
        }
        (Effect::None | Effect::Succeed | Effect::RefundLate, News::Ours { .. }) => Ok(()),
        (Effect::Fail(reason), _) => publish(tx, payment, PaymentFailed { order_id, reason }).await,
        (Effect::Reverse(kind), _) => {
            let amount = payment.paid_amount() - payment.refunded_amount;
            tracing::error!(order.id = %order_id, ?kind, amount, "the money of a paid order was taken back");
            publish(tx, payment, PaymentReversed { order_id, kind, amount }).await
        }
    }
}

/// Money has come, unless the payment only waits for a verdict.
async fn receive(
    tx: &mut PgTransaction<'_>,
    payment: &mut Payment,
    effect: Effect,
    transaction: &Transaction,
) -> sqlx::Result<()> {
    if payment.status == Status::Challenge {
        return Ok(());
    }
    let paid = Paid::by(transaction, OffsetDateTime::now_utc());
    store::update_paid(tx, payment.order_id, &paid).await?;
    payment.paid = Some(paid.clone());
    match effect {
        Effect::Succeed if !payment.order_ended => announce(tx, payment, &paid).await,
        Effect::Succeed | Effect::RefundLate => refund_late(tx, payment, transaction).await,
        _ => {
            let (asked, got) = (payment.amount, paid.amount);
            tracing::error!(order.id = %payment.order_id, ?asked, got, "another amount was paid than asked for: review");
            Ok(())
        }
    }
}

/// `PaymentSuccess`.
pub(super) async fn announce(tx: &mut PgTransaction<'_>, payment: &Payment, paid: &Paid) -> sqlx::Result<()> {
    let event = PaymentSuccess {
        order_id: payment.order_id,
        amount: paid.amount,
        payment_type: paid.payment_type.clone(),
        paid_at: paid.at,
    };
    publish(tx, payment, event).await
}

/// Everything that the transaction holds goes back.
async fn refund_late(
    tx: &mut PgTransaction<'_>,
    payment: &Payment,
    transaction: &Transaction,
) -> sqlx::Result<()> {
    let amount = transaction.charged_for_order() - transaction.refund_amount.unwrap_or_default();
    if amount > 0 {
        let refund = NewRefund {
            order_id: payment.order_id,
            midtrans_order_id: &transaction.order_id,
            transaction_id: &transaction.transaction_id,
            cause: RefundCause::Late,
            amount,
            reason: None,
        };
        store::insert_refund(tx, &refund).await?;
    }
    Ok(())
}

/// Books the refunds that an answer proves.
async fn book(tx: &mut PgTransaction<'_>, payment: &mut Payment, news: &News<'_>) -> sqlx::Result<()> {
    let News::Midtrans { transaction, refunds } = news else { return Ok(()) };
    for booking in bookings(refunds, transaction) {
        let booked = match booking {
            Booking::Ours(id) => {
                store::update_refund_done(tx, id, None, None).await?;
                let ours = refunds.iter().find(|refund| refund.id == id);
                ours.map(|refund| GivenBack { cause: refund.cause, amount: refund.amount })
            }
            Booking::Foreign { key, amount } => book_foreign(tx, payment, transaction, &key, amount).await?,
        };
        if let Some(given_back) = booked {
            book_refund::book_refund(tx, payment, given_back, news.cause()).await?;
        }
    }
    Ok(())
}

async fn book_foreign(
    tx: &mut PgTransaction<'_>,
    payment: &Payment,
    transaction: &Transaction,
    key: &str,
    amount: i64,
) -> sqlx::Result<Option<GivenBack>> {
    let cause = RefundCause::Admin;
    let refund = NewRefund {
        order_id: payment.order_id,
        midtrans_order_id: &transaction.order_id,
        transaction_id: &transaction.transaction_id,
        cause,
        amount,
        reason: None,
    };
    let new = store::insert_foreign_refund(tx, &refund, key).await?;
    Ok(new.then_some(GivenBack { cause, amount }))
}
