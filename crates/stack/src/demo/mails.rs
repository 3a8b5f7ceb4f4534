//! What a customer found in her mailbox.

use serde_json::Value;

use super::Fixtures;
use super::reporter::Reporter;
use crate::Result;
use crate::actors::{Customer, Poller};
use crate::api::text;

/// Shows the mails of an order that has arrived. Nothing if they go elsewhere, or notification-service is away: the shop
/// does without both.
pub(super) async fn show(out: &Reporter, fixtures: &Fixtures, customer: &Customer, order: i64) -> Result<()> {
    let path = format!("/mail/api/messages?to={}@example.com", customer.username);
    let own = format!("/api/v1/notification?order_id={order}");
    let notified = fixtures.api.get(&own, Some(&customer.token)).await?;
    if notified.status != 200 || fixtures.api.get(&path, None).await?.status != 200 {
        return Ok(());
    }
    let mails = out
        .step(async {
            let last = format!("Your order {order} has arrived");
            let mails = received(fixtures, &path, &last).await?;
            Ok((mails.clone(), format!("her mailbox has {} mails, see /mail/:", mails.len())))
        })
        .await?;
    for mail in mails.iter().rev() {
        out.step(async { Ok(((), format!("  {}", text(mail, "/subject")?))) }).await?;
    }
    Ok(())
}

/// The mails to somebody, newest first, once the last one is there.
async fn received(fixtures: &Fixtures, path: &str, last: &str) -> Result<Vec<Value>> {
    let mut poller = Poller::new();
    loop {
        let mails = fixtures.api.get(path, None).await?.expect(200)?;
        let mails = mails.as_array().cloned().unwrap_or_default();
        if mails.iter().any(|mail| mail["subject"] == last) {
            return Ok(mails);
        }
        poller.wait(|| format!("no mail says: {last},")).await?;
    }
}
