//! What can be asked of Midtrans, whichever way it is asked: by the APIs, on the payment page, by the control API, or by
//! the clock. Each use case changes the state in one step and puts the notifications that follow from it next to it.

use std::slice;
use std::time::Duration;

use secrecy::SecretString;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::cards::{Card, CardDecision, Denial};
use crate::error::CommandError;
use crate::method::Method;
use crate::order::{Destinations, Order, Page, PageState};
use crate::state::State;
use crate::transaction::{Event, Refund, Transaction};
use crate::webhooks::{Next, Webhook};
use crate::wire::{self, Body, Claim};

mod requests;

pub(crate) use self::requests::{NewCharge, NewPage, NewRefund, Notify, Outcome, Payment};

/// How long a slow card takes, and how long a bank to confirm a refund.
const A_MINUTE: Duration = Duration::from_mins(1);

/// What does not change while the process runs.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    pub(crate) server_key: SecretString,
    pub(crate) notification_url: String,
    pub(crate) speedup: u32,
}

/// Runs one use case on the locked state.
pub(crate) struct CommandHandler<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) terms: &'a Terms,
    pub(crate) now: OffsetDateTime,
}

/// An order, and the attempt that something happened to.
#[derive(Debug, Clone)]
pub(crate) struct Changed {
    pub(crate) order: Order,
    pub(crate) place: usize,
}

impl Changed {
    pub(crate) fn attempt(&self) -> &Transaction {
        &self.order.attempts[self.place]
    }
}

impl CommandHandler<'_> {
    /// Makes a page and returns its token. Before anything is chosen this can be repeated: the older page is revoked.
    pub(crate) fn create_page(&mut self, new: NewPage) -> Result<String, CommandError> {
        let mut order = self.order_to_use(new.order_id)?;
        let token = Uuid::new_v4().to_string();
        order.page = Some(Page {
            token: token.clone(),
            amount: new.amount,
            closes_at: new.closes_at,
            payment_expiry: new.payment_expiry,
            finish: new.finish,
            canceled: false,
            attempts_before: order.attempts.len(),
        });
        order.custom_fields = new.custom_fields;
        order.destinations = new.destinations;
        self.put(order);
        Ok(token)
    }

    /// Closes a page on which nothing has been chosen.
    pub(crate) fn cancel_page(&mut self, token: &str) -> Result<(), CommandError> {
        let mut order = self.state.by_token(token).ok_or(CommandError::Unknown)?.clone();
        match order.page_state(self.now).ok_or(CommandError::Unknown)? {
            PageState::Open | PageState::Expired => {}
            PageState::Waiting | PageState::Used => return Err(CommandError::PageInProgress),
            PageState::Canceled => return Err(CommandError::PageCanceled),
        }
        if let Some(page) = &mut order.page {
            page.canceled = true;
        }
        self.put(order);
        Ok(())
    }

    /// The customer pays, or tries to, or goes on with a payment begun before.
    pub(crate) fn pay(&mut self, token: &str, payment: Payment) -> Result<Changed, CommandError> {
        let mut order = self.state.by_token(token).ok_or(CommandError::Unknown)?.clone();
        let state = order.page_state(self.now).ok_or(CommandError::Unknown)?;
        let (mut attempt, fresh) = match (state, order.attempts.last()) {
            (PageState::Open, _) => (self.begin(&order, &payment)?, true),
            (PageState::Waiting, Some(waiting)) => (waiting.clone(), false),
            _ => return Err(CommandError::PageOver),
        };
        if payment.kind.is_some_and(|wanted| wanted != attempt.method.payment_type()) {
            return Err(CommandError::PageOver);
        }
        self.decide(&mut attempt, payment.outcome, fresh)?;
        if fresh {
            order.attempts.push(attempt);
        } else if let Some(waiting) = order.attempts.last_mut() {
            *waiting = attempt;
        }
        let place = order.attempts.len() - 1;
        Ok(self.publish(order, place, &payment.notify))
    }

    fn begin(&self, order: &Order, payment: &Payment) -> Result<Transaction, CommandError> {
        let card =
            payment.card.clone().or_else(|| Card::parse("4811111111111114")).ok_or(CommandError::Unknown)?;
        let bank = payment.bank.as_deref().unwrap_or("bca");
        let method = payment.kind.unwrap_or_default().method(card, bank);
        let asked = order.page.as_ref().map(|page| page.amount).unwrap_or_default();
        let end = order.payment_end(&method, self.now);
        Ok(Transaction::pending(new_id(), method, payment.amount.unwrap_or(asked), self.now, end))
    }

    /// Lets the attempt come out as requested; without a request as the card decides, or paid.
    fn decide(
        &self,
        attempt: &mut Transaction,
        requested: Option<Outcome>,
        fresh: bool,
    ) -> Result<(), CommandError> {
        let decision = match &attempt.method {
            Method::CreditCard { card } if fresh => card.decision(),
            _ => CardDecision::Accept,
        };
        let event = match (requested, decision) {
            (Some(Outcome::Capture | Outcome::Challenge), _) if !attempt.method.is_card() => {
                return Err(CommandError::invalid("outcome: capture and challenge are for cards only"));
            }
            (Some(Outcome::Pending), _) => return Ok(()),
            (Some(Outcome::Deny), _) if attempt.method.is_card() => {
                return Ok(attempt.deny(Denial::Bank, self.now)?);
            }
            (Some(Outcome::Deny), _) => Event::Deny,
            (Some(Outcome::Capture), _) => Event::Capture,
            (Some(Outcome::Cancel), _) => Event::Cancel,
            (Some(Outcome::Expire), _) => Event::Expire,
            (Some(Outcome::Challenge), _) | (None, CardDecision::Challenge) => Event::Challenge,
            (None, CardDecision::Deny(denial)) => return Ok(attempt.deny(denial, self.now)?),
            (None, CardDecision::Later) => {
                attempt.accepted_at = Some(self.now + A_MINUTE / self.terms.speedup);
                return Ok(());
            }
            (None, CardDecision::Accept) if attempt.method.is_card() => Event::Capture,
            (Some(Outcome::Settlement), _) | (None, CardDecision::Accept) => Event::Settle,
        };
        Ok(attempt.apply(event, self.now)?)
    }

    /// A charge by the Core API. Cards are decided at once, everything else waits for the customer.
    pub(crate) fn charge(&mut self, new: NewCharge) -> Result<Changed, CommandError> {
        let mut order = self.order_to_use(new.order_id)?;
        let default_end = self.now + new.method.default_expiry();
        let end = new.expiry.map_or(default_end, |expiry| expiry.end(self.now));
        let mut attempt = Transaction::pending(new_id(), new.method, new.amount, self.now, end);
        if attempt.method.is_card() {
            if new.authorize_only {
                attempt.apply(Event::Authorize, self.now)?;
            } else {
                self.decide(&mut attempt, None, true)?;
            }
        }
        order.page = None;
        order.custom_fields = new.custom_fields;
        order.destinations = new.destinations;
        order.attempts.push(attempt);
        let place = order.attempts.len() - 1;
        Ok(self.publish(order, place, &Notify::default()))
    }

    /// An event that no customer causes: the merchant's, the bank's or the clock's.
    pub(crate) fn act(&mut self, id: &str, event: Event) -> Result<Changed, CommandError> {
        let (mut order, place) = self.find(id)?;
        order.attempts[place].apply(event, self.now)?;
        Ok(self.publish(order, place, &Notify::default()))
    }

    /// Gives money back; also says how much. The notification goes out twice, the second time when the bank confirms.
    pub(crate) fn refund(&mut self, id: &str, new: NewRefund) -> Result<(Changed, i64), CommandError> {
        let (mut order, place) = self.find(id)?;
        let confirmed_at = self.now + A_MINUTE / self.terms.speedup;
        let refund = Refund {
            key: new.key.unwrap_or_else(new_id),
            amount: 0,
            reason: new.reason,
            created_at: self.now,
            confirmed_at,
            direct: new.direct,
        };
        let amount = order.attempts[place].refund(new.amount, refund)?;
        let changed = self.publish(order, place, &Notify::default());
        self.enqueue_webhooks(&changed, confirmed_at, confirmed_at, &Claim::default());
        Ok((changed, amount))
    }

    /// What has to happen by now does.
    pub(crate) fn tick(&mut self) {
        for mut order in self.state.due_orders(self.now) {
            for place in 0..order.attempts.len() {
                let attempt = &mut order.attempts[place];
                let event = attempt.due_event(self.now);
                if event.is_some_and(|event| attempt.apply(event, self.now).is_ok()) {
                    order = self.publish(order, place, &Notify::default()).order;
                }
            }
        }
    }

    /// A notification was answered, or not.
    pub(crate) fn answered(&mut self, webhook: &Webhook, next: Next) {
        self.state.remove_webhook(webhook.id);
        if let Next::Again(again) = next {
            self.state.put_webhook(again);
        }
    }

    fn find(&self, id: &str) -> Result<(Order, usize), CommandError> {
        let (order, place) = self.state.transaction(id).ok_or(CommandError::Unknown)?;
        Ok((order.clone(), place))
    }

    /// The order for a new page or charge, if its id is free.
    fn order_to_use(&self, order_id: String) -> Result<Order, CommandError> {
        match self.state.order(&order_id) {
            Some(order) if order.is_free() => Ok(order.clone()),
            Some(_) => Err(CommandError::DuplicateOrder),
            None => Ok(Order::new(order_id, self.now)),
        }
    }

    fn put(&mut self, mut order: Order) -> Order {
        order.updated_at = self.now;
        self.state.put_order(order.clone());
        order
    }

    /// Keeps the order and notifies the merchant.
    fn publish(&mut self, order: Order, place: usize, notify: &Notify) -> Changed {
        let changed = Changed { order: self.put(order), place };
        let claim = Claim { amount: notify.gross_amount, forged: notify.forge };
        if !notify.drop {
            let at = self.now + Duration::from_millis(notify.delay_ms.into());
            for _ in 0..notify.times {
                self.enqueue_webhooks(&changed, at, self.now, &claim);
            }
        }
        changed
    }

    fn enqueue_webhooks(
        &mut self,
        changed: &Changed,
        at: OffsetDateTime,
        as_of: OffsetDateTime,
        claim: &Claim,
    ) {
        let description = || Body::of(&changed.order, changed.attempt(), as_of);
        for url in self.addresses(&changed.order.destinations) {
            self.state.put_webhook(Webhook {
                id: Uuid::new_v4(),
                order_id: changed.order.id.clone(),
                url,
                body: wire::notification(description(), changed.attempt(), claim, &self.terms.server_key),
                retries: 0,
                next_at: at,
            });
        }
    }

    fn addresses(&self, destinations: &Destinations) -> Vec<String> {
        if !destinations.instead.is_empty() {
            return destinations.instead.clone();
        }
        [slice::from_ref(&self.terms.notification_url), &destinations.also].concat()
    }
}

fn new_id() -> String {
    Uuid::new_v4().to_string()
}
