//! What has expired goes. Nobody has to be told: the last access token of such a session expired long before.

use crate::{App, store::sessions};

/// How many rows go at a time, so that no transaction is long.
const BATCH: i64 = 1_000;

impl App {
    /// Deletes sessions that expired, and tokens that were spent longer ago than any token lives. Returns how many.
    pub async fn forget_expired(&self) -> sqlx::Result<u64> {
        let mut db = self.db.acquire().await?;
        let mut forgotten = 0;
        loop {
            let some = sessions::delete_expired_sessions(&mut db, BATCH).await?
                + sessions::delete_expired_tokens(&mut db, BATCH).await?;
            forgotten += some;
            if some == 0 {
                return Ok(forgotten);
            }
        }
    }
}
