//! All orders and notifications in memory, with the indexes to find them. Each change leaves an entry for the journal.

use std::collections::{BTreeSet, HashMap};
use std::mem;

use time::OffsetDateTime;
use uuid::Uuid;

use crate::journal::Entry;
use crate::order::Order;
use crate::transaction::Transaction;
use crate::webhooks::Webhook;

/// Orders and the notifications that wait to be sent.
#[derive(Debug, Default)]
pub(crate) struct State {
    orders: HashMap<String, Order>,
    /// The id of the order by the token of its page.
    tokens: HashMap<String, String>,
    /// The id of the order by the id of each of its transactions.
    transactions: HashMap<String, String>,
    /// When the clock has to look at which order.
    order_times: BTreeSet<(OffsetDateTime, String)>,
    webhooks: HashMap<Uuid, Webhook>,
    /// When which notification is due; those on their way are not in here.
    webhook_times: BTreeSet<(OffsetDateTime, Uuid)>,
    log: Vec<Entry>,
}

impl State {
    /// The state after the entries of a journal, in their order.
    pub(crate) fn replay(entries: Vec<Entry>) -> Self {
        let mut state = Self::default();
        for entry in entries {
            match entry {
                Entry::Order(order) => state.put_order(*order),
                Entry::OrderGone(id) => state.purge_order(&id),
                Entry::Webhook(webhook) => state.put_webhook(webhook),
                Entry::WebhookGone(id) => state.remove_webhook(id),
            }
        }
        state.log.clear();
        state
    }

    /// All there is, as a journal.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let orders = self.orders.values().map(|order| Entry::Order(Box::new(order.clone())));
        orders.chain(self.webhooks.values().cloned().map(Entry::Webhook)).collect()
    }

    /// What has changed since this was called last.
    pub(crate) fn take_log(&mut self) -> Vec<Entry> {
        mem::take(&mut self.log)
    }

    pub(crate) fn order(&self, order_id: &str) -> Option<&Order> {
        self.orders.get(order_id)
    }

    pub(crate) fn by_token(&self, token: &str) -> Option<&Order> {
        self.order(self.tokens.get(token)?)
    }

    /// The transaction an id of the Core API stands for: its own, or the newest of an order. With its place among the
    /// attempts of the order.
    pub(crate) fn transaction(&self, id: &str) -> Option<(&Order, usize)> {
        if let Some(order) = self.order(id) {
            return Some((order, order.attempts.len().checked_sub(1)?));
        }
        let order = self.order(self.transactions.get(id)?)?;
        let place = order.attempts.iter().position(|attempt| attempt.id == id)?;
        Some((order, place))
    }

    /// The same as the Core API finds it: some methods by their transaction id only.
    pub(crate) fn core_transaction(&self, id: &str) -> Option<(&Order, usize)> {
        let by_order = self.order(id).is_some();
        let hidden = |attempt: &Transaction| by_order && attempt.method.is_found_by_transaction_only();
        self.transaction(id).filter(|(order, place)| !hidden(&order.attempts[*place]))
    }

    pub(crate) fn orders(&self) -> Vec<&Order> {
        let mut orders: Vec<_> = self.orders.values().collect();
        orders.sort_by(|a, b| (b.updated_at, &b.id).cmp(&(a.updated_at, &a.id)));
        orders
    }

    pub(crate) fn put_order(&mut self, order: Order) {
        self.unlink(&order.id);
        if let Some(page) = &order.page {
            self.tokens.insert(page.token.clone(), order.id.clone());
        }
        for attempt in &order.attempts {
            self.transactions.insert(attempt.id.clone(), order.id.clone());
        }
        if let Some(at) = order.due_at() {
            self.order_times.insert((at, order.id.clone()));
        }
        self.log.push(Entry::Order(Box::new(order.clone())));
        self.orders.insert(order.id.clone(), order);
    }

    fn purge_order(&mut self, order_id: &str) {
        self.unlink(order_id);
        self.orders.remove(order_id);
        self.log.push(Entry::OrderGone(order_id.to_owned()));
    }

    /// Removes the ways to an order, of which a change may leave other ones.
    fn unlink(&mut self, order_id: &str) {
        let Some(order) = self.orders.get(order_id) else { return };
        if let Some(page) = &order.page {
            self.tokens.remove(&page.token);
        }
        for attempt in &order.attempts {
            self.transactions.remove(&attempt.id);
        }
        if let Some(at) = order.due_at() {
            self.order_times.remove(&(at, order_id.to_owned()));
        }
    }

    /// The orders the clock has to look at.
    pub(crate) fn due_orders(&self, now: OffsetDateTime) -> Vec<Order> {
        let due = self.order_times.iter().take_while(|(at, _)| *at <= now);
        due.filter_map(|(_, order_id)| self.order(order_id).cloned()).collect()
    }

    /// Purges orders that have not changed since then, except those that still wait for something.
    pub(crate) fn purge_before(&mut self, time: OffsetDateTime) {
        let is_old = |order: &&Order| order.updated_at < time && order.due_at().is_none();
        let old: Vec<_> = self.orders.values().filter(is_old).map(|order| order.id.clone()).collect();
        for order_id in old {
            self.purge_order(&order_id);
        }
    }

    pub(crate) fn put_webhook(&mut self, webhook: Webhook) {
        self.webhook_times.insert((webhook.next_at, webhook.id));
        self.log.push(Entry::Webhook(webhook.clone()));
        self.webhooks.insert(webhook.id, webhook);
    }

    pub(crate) fn remove_webhook(&mut self, id: Uuid) {
        if let Some(webhook) = self.webhooks.remove(&id) {
            self.webhook_times.remove(&(webhook.next_at, id));
            self.log.push(Entry::WebhookGone(id));
        }
    }

    /// Takes the notifications that are due; they stay in the state until their outcome is recorded.
    pub(crate) fn take_due_webhooks(&mut self, now: OffsetDateTime) -> Vec<Webhook> {
        let mut due = Vec::new();
        while let Some((_, id)) = self.webhook_times.first().copied().filter(|(at, _)| *at <= now) {
            self.webhook_times.pop_first();
            due.extend(self.webhooks.get(&id).cloned());
        }
        due
    }

    pub(crate) fn webhooks_of(&self, order_id: &str) -> usize {
        self.webhooks.values().filter(|webhook| webhook.order_id == order_id).count()
    }

    /// When the clock has something to do.
    pub(crate) fn next_time(&self) -> Option<OffsetDateTime> {
        let order = self.order_times.first().map(|(at, _)| *at);
        let webhook = self.webhook_times.first().map(|(at, _)| *at);
        order.into_iter().chain(webhook).min()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use time::OffsetDateTime;
    use time::macros::datetime;
    use uuid::Uuid;

    use super::State;
    use crate::method::Method;
    use crate::order::Order;
    use crate::transaction::{Event, Transaction};
    use crate::webhooks::Webhook;

    const NOW: OffsetDateTime = datetime!(2030-01-01 12:00 UTC);
    const LATER: OffsetDateTime = datetime!(2030-01-01 12:15 UTC);

    fn waiting(order_id: &str) -> Order {
        let mut order = Order::new(order_id.to_owned(), NOW);
        order.attempts.push(Transaction::pending(format!("t-{order_id}"), Method::Gopay, 1, NOW, LATER));
        order
    }

    fn webhook(next_at: OffsetDateTime) -> Webhook {
        Webhook {
            id: Uuid::nil(),
            order_id: "a".to_owned(),
            url: String::new(),
            body: String::new(),
            retries: 0,
            next_at,
        }
    }

    #[test]
    fn a_journal_of_all_there_is_restores_it() {
        let mut state = State::default();
        state.put_order(waiting("a"));
        state.put_webhook(webhook(NOW));
        let restored = State::replay(state.entries());
        assert_eq!(restored.order("a"), state.order("a"));
        assert_eq!(restored.webhooks_of("a"), 1);
        assert_eq!(restored.next_time(), Some(NOW));
    }

    #[test]
    fn the_log_alone_restores_it_too() {
        let mut state = State::default();
        state.put_order(waiting("a"));
        state.put_order(waiting("b"));
        state.put_webhook(webhook(NOW));
        state.remove_webhook(Uuid::nil());
        state.purge_order("b");
        let restored = State::replay(state.take_log());
        assert!(restored.order("a").is_some() && restored.order("b").is_none());
        assert_eq!(restored.webhooks_of("a"), 0);
        assert!(state.take_log().is_empty());
    }

    #[test]
    fn an_order_is_due_at_the_end_of_its_payment_and_no_longer_once_it_is_over() {
        let mut state = State::default();
        state.put_order(waiting("a"));
        assert_eq!(state.next_time(), Some(LATER));
        assert_eq!(state.due_orders(NOW), []);
        let mut order = state.due_orders(LATER).remove(0);
        order.attempts[0].apply(Event::Expire, LATER).unwrap();
        state.put_order(order);
        assert_eq!(state.next_time(), None);
    }

    #[test]
    fn a_due_webhook_is_taken_once() {
        let mut state = State::default();
        state.put_webhook(webhook(LATER));
        assert_eq!(state.take_due_webhooks(NOW), []);
        assert_eq!(state.take_due_webhooks(LATER).len(), 1);
        assert_eq!(state.take_due_webhooks(LATER), []);
        assert_eq!(state.webhooks_of("a"), 1, "it is on its way");
    }

    #[test]
    fn old_orders_are_purged_unless_they_wait() {
        let mut state = State::default();
        let mut over = waiting("over");
        over.attempts[0].apply(Event::Cancel, NOW).unwrap();
        state.put_order(over);
        state.put_order(waiting("waiting"));
        state.purge_before(NOW);
        assert!(state.order("over").is_some(), "not old yet");
        state.purge_before(NOW + Duration::from_secs(1));
        assert!(state.order("over").is_none() && state.transaction("t-over").is_none());
        assert!(state.order("waiting").is_some());
    }
}
