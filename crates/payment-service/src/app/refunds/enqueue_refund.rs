//! Writes a refund down, with the job that makes it. What that does is in [`super::make_refund`].

use jobs::{Job, Queue};
use sqlx::PgTransaction;

use crate::store::{self, NewRefund};

/// Makes the refund of a row.
#[derive(Debug)]
pub struct MakeRefund;

/// Writes a refund down to be made. Nothing if there is one of this cause already, unless an administrator asks.
pub(in crate::app) async fn enqueue_refund(
    tx: &mut PgTransaction<'_>,
    new: &NewRefund<'_>,
) -> sqlx::Result<()> {
    match store::insert_refund(tx, new).await? {
        Some(id) => Queue::enqueue(tx, [MakeRefund::of(&id).now()]).await,
        None => Ok(()),
    }
}
