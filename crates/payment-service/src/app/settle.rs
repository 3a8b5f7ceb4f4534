//! Applies what is known of attempts to their payments: classify, transition by T2, effects. Every answer of Midtrans comes
//! through here, whether a notification, a poll, a request or an action of ours caused the question. Findings that come at
//! the same time are applied in one transaction: decided in memory, written in sets.

mod changes;
mod refunds;

use std::collections::{BTreeMap, BTreeSet};

use chassis::group_commit::Commit;
use contracts::OrderId;
use jobs::{Job, Queue};
use midtrans::{Transaction, TransactionStatus};
use sqlx::{PgTransaction, Result};
use time::OffsetDateTime;

use crate::{
    AppState,
    app::MakeRefund,
    domain::{
        Answer, Attempt, Canceller, Effect, Finding, Observation, Paid, Payment, Refund, RefundEffect,
        RefundMethod, Settlement, Status, Transition, classify,
    },
    store::{self, Open, Recorded},
};
use changes::Changes;

/// Applies a finding and returns where the payment stands then; `None` if the attempt is not ours.
pub async fn settle(state: &AppState, midtrans_order_id: &str, finding: Finding) -> Result<Option<Status>> {
    let midtrans_order_id = midtrans_order_id.to_owned();
    submit(state, Settlement { midtrans_order_id, finding, notification: None }).await
}

/// Applies a finding together with those that come at the same time.
pub async fn submit(state: &AppState, settlement: Settlement) -> Result<Option<Status>> {
    Ok(state.settlements.submit(state, settlement).await?)
}

impl Commit for Settlement {
    type State = AppState;
    type Reply = Option<Status>;
    type Error = sqlx::Error;

    async fn commit(state: &AppState, group: &[Self]) -> Result<Vec<Option<Status>>> {
        let mut tx = state.db.begin().await?;
        let mut statuses = vec![None; group.len()];
        let mut left: Vec<(usize, &Self)> = group.iter().enumerate().collect();
        // Of several findings about one order each sees what the one before has left.
        while !left.is_empty() {
            let open = load(&mut tx, &left).await?;
            let mut seen = BTreeSet::new();
            let (now, later) = left.into_iter().partition(|(_, settlement)| {
                open.get(&settlement.midtrans_order_id).is_none_or(|open| seen.insert(open.payment.order_id))
            });
            apply_all(&mut tx, now, open, &mut statuses).await?;
            left = later;
        }
        let handled: Vec<i64> = group.iter().filter_map(|settlement| settlement.notification).collect();
        store::mark_notifications_handled(&mut tx, &handled).await?;
        state.outbox.commit(tx).await?;
        state.jobs.wake();
        Ok(statuses)
    }
}

async fn load(tx: &mut PgTransaction<'_>, left: &[(usize, &Settlement)]) -> Result<BTreeMap<String, Open>> {
    let ids: Vec<&str> = left.iter().map(|(_, settlement)| settlement.midtrans_order_id.as_str()).collect();
    store::lock_attempts(tx, &ids).await
}

/// What a finding is about.
struct Case<'a> {
    attempt: Attempt,
    payment: Payment,
    /// What Midtrans says; nothing where it only confirmed what we did.
    transaction: Option<&'a Transaction>,
    /// The refunds of that transaction that we know.
    refunds: Vec<Refund>,
    answer: Answer,
    /// The word for it in the history.
    cause: &'a str,
}

/// Applies findings about different orders: all are decided first, then written with one statement for each table.
async fn apply_all(
    tx: &mut PgTransaction<'_>,
    settlements: Vec<(usize, &Settlement)>,
    mut open: BTreeMap<String, Open>,
    statuses: &mut [Option<Status>],
) -> Result<()> {
    let ours = record_transactions(tx, &settlements, &open).await?;
    let mut known = known_refunds(tx, &settlements, &open).await?;
    let mut changes = Changes::default();
    let mut cases = Vec::new();
    for (place, settlement) in settlements {
        let Some(Open { attempt, payment }) = open.remove(&settlement.midtrans_order_id) else { continue };
        statuses[place] = Some(payment.status);
        let refunds = known.remove(&payment.order_id).unwrap_or_default();
        if let Some(mut case) = case(attempt, payment, &settlement.finding, refunds, &ours) {
            let refunds = decide(&mut case, &mut changes);
            statuses[place] = Some(case.payment.status);
            cases.push((place, case, refunds));
        }
    }
    changes.write(tx).await?;
    for (place, mut case, refunds) in cases {
        for effect in refunds {
            refunds::apply(tx, &mut case, effect).await?;
        }
        statuses[place] = Some(case.payment.status);
    }
    Ok(())
}

/// Records what Midtrans says of transactions; those that are known to be another attempt's are not returned.
async fn record_transactions(
    tx: &mut PgTransaction<'_>,
    settlements: &[(usize, &Settlement)],
    open: &BTreeMap<String, Open>,
) -> Result<BTreeSet<String>> {
    let (mut recorded, mut settled) = (Vec::new(), Vec::new());
    for (_, Settlement { midtrans_order_id, finding, .. }) in settlements {
        let Some(Open { attempt, payment }) = open.get(midtrans_order_id) else { continue };
        let Some(observation) = finding.observation().filter(|it| it.is_of(attempt, payment.amount)) else {
            continue;
        };
        let transaction = &observation.transaction;
        recorded.push(Recorded { midtrans_order_id, transaction });
        if attempt.captured && transaction.transaction_status == TransactionStatus::Settlement {
            settled.push(midtrans_order_id.as_str());
        }
    }
    let ours = store::record_transactions(tx, &recorded).await?;
    if !settled.is_empty() {
        // A part of a captured payment can only be refunded once it has settled.
        let waiting = store::list_requested_refunds(tx, &settled).await?;
        Queue::enqueue(tx, waiting.iter().map(|id| MakeRefund::of(id).now())).await?;
    }
    Ok(ours)
}

/// The refunds of orders, for the answers that may be about one.
async fn known_refunds(
    tx: &mut PgTransaction<'_>,
    settlements: &[(usize, &Settlement)],
    open: &BTreeMap<String, Open>,
) -> Result<BTreeMap<OrderId, Vec<Refund>>> {
    use TransactionStatus as Is;
    let may_be = |observation: &Observation| {
        matches!(observation.transaction.transaction_status, Is::Cancel | Is::PartialRefund | Is::Refund)
    };
    let concerned = settlements.iter().filter(|(_, it)| it.finding.observation().is_some_and(may_be));
    let concerned = concerned.filter_map(|(_, it)| open.get(&it.midtrans_order_id));
    let orders: Vec<i64> = concerned.map(|open| open.payment.order_id.get()).collect();
    if orders.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut known: BTreeMap<OrderId, Vec<Refund>> = BTreeMap::new();
    for refund in store::list_refunds_of(tx, &orders).await? {
        known.entry(refund.order_id).or_default().push(refund);
    }
    Ok(known)
}

/// What a finding is about; nothing if it is about a transaction of another order.
fn case<'a>(
    attempt: Attempt,
    payment: Payment,
    finding: &'a Finding,
    mut refunds: Vec<Refund>,
    ours: &BTreeSet<String>,
) -> Option<Case<'a>> {
    if let Some((answer, cause)) = finding.our_doing() {
        return Some(Case { attempt, payment, transaction: None, refunds, answer, cause });
    }
    let transaction = &finding.observation()?.transaction;
    let transaction_id = &transaction.transaction_id;
    if !ours.contains(&attempt.midtrans_order_id) {
        tracing::warn!(order.id = %payment.order_id, transaction_id, "transaction of another order was ignored");
        return None;
    }
    refunds.retain(|refund| refund.transaction_id == *transaction_id);
    let answer = classify(transaction, payment.amount, canceller(&payment, &attempt, &refunds));
    let cause = transaction.transaction_status.as_str();
    Some(Case { attempt, payment, transaction: Some(transaction), refunds, answer, cause })
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

/// Decides about a case. Returns what is done about refunds once the changes are written.
fn decide(case: &mut Case<'_>, changes: &mut Changes) -> Vec<RefundEffect> {
    let second = case.transaction.is_some_and(|it| case.payment.paid_by_another(&it.transaction_id));
    let Transition { to, effects, refunds } =
        if second { case.payment.on_second(case.answer) } else { case.payment.on(case.answer) };
    if second && refunds == [RefundEffect::RefundLate] {
        let order_id = case.payment.order_id;
        tracing::warn!(order.id = %order_id, "order was paid twice: refunding the second payment");
    }
    if effects.contains(&Effect::RecordPayment)
        && let Some(transaction) = case.transaction
    {
        case.payment.paid = Some(Paid::by(&case.attempt, transaction, OffsetDateTime::now_utc()));
    }
    changes.move_payment(&mut case.payment, to, case.cause);
    for effect in effects {
        changes.add(case, effect);
    }
    refunds
}
