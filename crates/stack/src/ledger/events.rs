//! What was published and what was handled, event by event, in both directions.
//!
//! Outboxes keep an event for a day, inboxes for a month: only events of the last day can be compared.

use std::collections::BTreeSet;

use contracts::events::{
    DeliveryFailed, DeliveryShipped, DeliverySuccess, Event, OrderCancelled, OrderCreated, OrderPaid,
    PaymentFailed, PaymentRefunded, PaymentReversed, PaymentSuccess, StockInsufficient, StockReserved,
    Stream, groups,
};
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Advice, Discrepancy, Ledger, Repair};
use crate::dead_letters::discarded;
use crate::shop::Service;
use crate::{Error, Result};

const LOST: Advice = Advice {
    cause: "Redis lost it and did not say so, it was deleted from its stream, or the group's database is an older copy",
    remedy: "`stack doctor --apply` publishes it again; groups that have handled it skip it",
};
const FOREIGN: Advice = Advice {
    cause: "somebody added it to the stream by hand, or the publisher's database is an older copy",
    remedy: "compare what it did with the order's payment and delivery; change the password of Redis",
};

/// Rows of an outbox that are compared with the inboxes in one statement.
const PAGE: i64 = 5_000;

const STREAMS: [Stream; 12] = [
    OrderCreated::STREAM,
    StockReserved::STREAM,
    StockInsufficient::STREAM,
    PaymentSuccess::STREAM,
    PaymentFailed::STREAM,
    PaymentRefunded::STREAM,
    PaymentReversed::STREAM,
    OrderPaid::STREAM,
    OrderCancelled::STREAM,
    DeliveryShipped::STREAM,
    DeliverySuccess::STREAM,
    DeliveryFailed::STREAM,
];

/// The services whose databases have an inbox, by their group.
const INBOXES: [(&str, Service); 4] = [
    (groups::ORDER, Service::Order),
    (groups::PRODUCT, Service::Product),
    (groups::PAYMENT, Service::Payment),
    (groups::DELIVERY, Service::Delivery),
];

/// A row of an outbox that was published.
#[derive(Debug, sqlx::FromRow)]
struct Published {
    id: i64,
    stream: String,
    event_id: Uuid,
    order_id: Option<i64>,
    at: OffsetDateTime,
    entry: String,
}

impl Ledger {
    /// Events that were published, and that a group neither has handled, nor given up, nor still has to read.
    pub(super) async fn lost_events(&self) -> Result<Vec<Discrepancy>> {
        let mut lost = Vec::new();
        for (service, _) in self.databases() {
            let mut after = 0;
            loop {
                let page = self.published(service, after).await?;
                let Some(newest) = page.last() else { break };
                after = newest.id;
                for group in STREAMS.iter().flat_map(|stream| stream.groups).collect::<BTreeSet<_>>() {
                    lost.extend(self.lost_by(group, service, &page).await?);
                }
            }
        }
        Ok(lost)
    }

    async fn published(&self, service: Service, after: i64) -> Result<Vec<Published>> {
        let query = "SELECT id, stream, (fields->>'event_id')::uuid AS event_id,
                (fields->>'order_id')::bigint AS order_id, published_at AS at, entry_ms || '-' || entry_seq AS entry
            FROM messaging.outbox WHERE id > $1 AND published_at IS NOT NULL ORDER BY id LIMIT $2";
        let rows = sqlx::query_as(query).bind(after).bind(PAGE).fetch_all(self.pool(service)?).await;
        rows.map_err(Error::sql(format!("read the outbox of {}", service.name())))
    }

    async fn lost_by(&self, group: &str, service: Service, page: &[Published]) -> Result<Vec<Discrepancy>> {
        let reads = |row: &&Published| {
            STREAMS.iter().any(|stream| stream.name == row.stream && stream.groups.contains(&group))
        };
        let page: Vec<&Published> = page.iter().filter(reads).collect();
        let ids: Vec<Uuid> = page.iter().map(|row| row.event_id).collect();
        let handled = self.handled(group, &ids).await?;
        let mut lost = Vec::new();
        for row in page.into_iter().filter(|row| !handled.contains(&row.event_id)) {
            if !self.waits(group, row).await? {
                lost.push(words(group, service, row));
            }
        }
        Ok(lost)
    }

    /// Those of the events that a group has handled or given up.
    async fn handled(&self, group: &str, ids: &[Uuid]) -> Result<BTreeSet<Uuid>> {
        if ids.is_empty() {
            return Ok(BTreeSet::new());
        }
        let Some((_, service)) = INBOXES.iter().find(|(known, _)| *known == group) else {
            return self.handled_by_cart(ids).await;
        };
        let query = "SELECT event_id FROM messaging.inbox WHERE consumer = $1 AND event_id = ANY($2)
            UNION SELECT event_id FROM messaging.dead_letters WHERE consumer = $1 AND event_id = ANY($2)";
        let rows = sqlx::query_scalar(query).bind(group).bind(ids).fetch_all(self.pool(*service)?).await;
        let rows: Vec<Uuid> = rows.map_err(Error::sql(format!("read the inbox of {}", service.name())))?;
        Ok(rows.into_iter().collect())
    }

    /// cart-service has no database: it notes in Redis what it has handled.
    async fn handled_by_cart(&self, ids: &[Uuid]) -> Result<BTreeSet<Uuid>> {
        let keys = |name: &dyn Fn(&Uuid) -> String| ids.iter().map(name).collect::<Vec<_>>();
        let seen = existing(&mut self.carts(), keys(&|id| format!("cart:seen:{id}"))).await?;
        let discarded = keys(&|id| discarded(groups::CART, &id.to_string()));
        let discarded = existing(&mut self.redis(), discarded).await?;
        let known = ids.iter().zip(seen.iter().zip(discarded)).filter(|(_, (seen, gone))| **seen || *gone);
        let mut handled: BTreeSet<Uuid> = known.map(|(id, _)| *id).collect();
        let letters = self.dead_letters().open().await?;
        let dead = letters.iter().filter(|letter| letter.group == groups::CART);
        handled.extend(dead.filter_map(|letter| letter.event_id()?.parse::<Uuid>().ok()));
        Ok(handled)
    }

    /// Whether a group still has to read an entry; then it is in flight.
    async fn waits(&self, group: &str, row: &Published) -> Result<bool> {
        let mut redis = self.redis();
        let failed = || Error::redis("look at a stream");
        let exists: redis::streams::StreamRangeReply =
            redis.xrange(&row.stream, &row.entry, &row.entry).await.map_err(failed())?;
        if exists.ids.is_empty() {
            return Ok(false);
        }
        let mut pending = redis::cmd("XPENDING");
        pending.arg(&row.stream).arg(group).arg(&row.entry).arg(&row.entry).arg(1);
        let pending: Vec<redis::Value> = pending.query_async(&mut redis).await.map_err(failed())?;
        let groups: redis::streams::StreamInfoGroupsReply =
            redis.xinfo_groups(&row.stream).await.map_err(failed())?;
        let delivered = groups.groups.iter().find(|known| known.name == group);
        let undelivered =
            delivered.is_none_or(|known| position(&known.last_delivered_id) < position(&row.entry));
        Ok(!pending.is_empty() || undelivered)
    }

    /// Events that a group has handled within the last day, and that no outbox has.
    pub(super) async fn foreign_events(&self) -> Result<Vec<Discrepancy>> {
        let mut foreign = Vec::new();
        for (group, service) in INBOXES {
            // The outbox keeps a row for a day after it was published; it is handled seconds later.
            let query = "SELECT event_id, handled_at FROM messaging.inbox
                WHERE consumer = $1 AND handled_at > now() - interval '23 hours' ORDER BY handled_at";
            let rows = sqlx::query_as(query).bind(group).fetch_all(self.pool(service)?).await;
            let rows: Vec<(Uuid, OffsetDateTime)> =
                rows.map_err(Error::sql(format!("read the inbox of {}", service.name())))?;
            for page in rows.chunks(usize::try_from(PAGE).unwrap_or(usize::MAX)) {
                let ids: Vec<Uuid> = page.iter().map(|(id, _)| *id).collect();
                let known = self.appended(&ids).await?;
                let unknown = page.iter().filter(|(id, _)| !known.contains(id));
                foreign.extend(unknown.map(|(id, since)| {
                    let what = format!("{group} has handled event {id}, which no service published");
                    Discrepancy::new(FOREIGN, what).since(*since)
                }));
            }
        }
        Ok(foreign)
    }

    /// Those of the events that some outbox has.
    async fn appended(&self, ids: &[Uuid]) -> Result<BTreeSet<Uuid>> {
        let mut known = BTreeSet::new();
        for (service, pool) in self.databases() {
            let query = "SELECT (fields->>'event_id')::uuid FROM messaging.outbox
                WHERE (fields->>'event_id')::uuid = ANY($1)";
            let rows = sqlx::query_scalar(query).bind(ids).fetch_all(pool).await;
            let rows: Vec<Uuid> =
                rows.map_err(Error::sql(format!("read the outbox of {}", service.name())))?;
            known.extend(rows);
        }
        Ok(known)
    }
}

/// Which of these keys exist.
async fn existing(redis: &mut MultiplexedConnection, keys: Vec<String>) -> Result<Vec<bool>> {
    let mut pipe = redis::pipe();
    for key in keys {
        pipe.exists(key);
    }
    pipe.query_async(redis).await.map_err(Error::redis("look at cart-service's marks"))
}

fn words(group: &str, service: Service, row: &Published) -> Discrepancy {
    let (id, stream, event) = (row.id, &row.stream, row.event_id);
    let what =
        format!("{group} never got event {event} of {stream}, which {} published as {id}", service.name());
    let found = Discrepancy::new(LOST, what).since(row.at);
    let found = found.with_repair(Repair::Publish { service, row: row.id });
    row.order_id.into_iter().fold(found, Discrepancy::of_order)
}

/// An entry's id as numbers, which can be compared.
fn position(entry: &str) -> (u64, u64) {
    let (ms, seq) = entry.split_once('-').unwrap_or((entry, "0"));
    (ms.parse().unwrap_or_default(), seq.parse().unwrap_or_default())
}
