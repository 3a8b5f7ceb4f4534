//! What each service does with what it consumes, decided by its own table.

use contracts::events::{CancelCause, InsufficientReason, PaymentFailure, ReversalKind};
use delivery_service::domain as delivery;
use order_service::domain as order;
use payment_service::domain as payment;
use product_service::domain::hold;

use crate::rules::{self, Rules};
use crate::state::{Event, Hold, Page, Payment, Refund, Saga, Transaction, World};

/// Nothing where a step is not possible now.
pub type Possible = Option<()>;

impl Saga {
    pub fn publish(&mut self, event: Event) {
        self.events.insert(event);
    }

    // ---- order-service ----

    /// Applies what order-service's table says. A move ends a recorded cancellation.
    pub fn advance_order(&mut self, rules: &Rules, input: &order::Input) -> Result<(), DeadLetter> {
        let transition = (rules.order)(self.order.status, input);
        self.move_order(&transition)
    }

    pub fn move_order(&mut self, transition: &order::Transition) -> Result<(), DeadLetter> {
        if let Some(state) = &transition.to {
            self.order.status = state.status();
            self.order.cancelling = None;
        }
        for effect in &transition.effects {
            match effect {
                order::Effect::PublishPaid => self.publish(Event::Paid),
                order::Effect::PublishCancelled(cause) => {
                    self.publish(Event::Cancelled { by_admin: *cause == CancelCause::Admin });
                }
                order::Effect::ReturnGoods => self.order.returning = true,
                order::Effect::Reject => return Err(DeadLetter),
                order::Effect::RecordPayer
                | order::Effect::Annotate
                | order::Effect::RecordRefund(_)
                | order::Effect::Alarm
                | order::Effect::Postpone => {}
            }
        }
        Ok(())
    }

    /// The input that an event is to an order; nothing while its page is not made.
    pub fn input(&self, event: Event) -> Option<order::Input> {
        use order::Input;
        Some(match event {
            Event::Reserved => Input::StockReserved(self.requested_page()?),
            Event::Insufficient => Input::StockInsufficient(InsufficientReason::Insufficient, Vec::new()),
            Event::PaymentSuccess => Input::PaymentSuccess(1, String::new()),
            Event::PaymentFailed => Input::PaymentFailed(PaymentFailure::Expired),
            Event::PaymentRefunded { undelivered } => Input::PaymentRefunded(rules::refunded(undelivered)),
            Event::PaymentReversed => Input::PaymentReversed(1, ReversalKind::Chargeback),
            Event::Shipped => Input::DeliveryShipped(rules::delivery_id(), None),
            Event::Delivered => Input::DeliverySuccess(rules::delivery_id()),
            Event::DeliveryFailed => Input::DeliveryFailed(rules::delivery_id(), None),
            Event::Created | Event::Paid | Event::Cancelled { .. } => return None,
        })
    }

    /// What payment-service answers when it is asked for the page: none for a payment that is closed. It is asked only
    /// while the order is RECEIVED.
    fn requested_page(&self) -> Option<Option<order::PaymentPage>> {
        if self.order.status != order::Status::Received {
            return Some(None);
        }
        let payment = self.payment.as_ref()?;
        match payment.status {
            payment::Status::Pending if self.midtrans.page == Page::None => None,
            payment::Status::Failed | payment::Status::Cancelled => Some(None),
            _ => Some(Some(rules::page())),
        }
    }

    // ---- payment-service ----

    pub fn open_payment(&mut self) {
        self.payment.get_or_insert(Payment {
            status: payment::Status::Pending,
            paid: None,
            order_ended: false,
            undelivered: false,
            closing: false,
            void: false,
            refunds: [Refund::None; 2],
        });
    }

    /// `OrderCancelled`: what is open is closed, what is paid is refunded. An unknown order gets a tombstone.
    pub fn end_payment(&mut self, by_admin: bool) {
        let known = self.payment.is_some();
        self.open_payment();
        let page = self.midtrans.page;
        let Some(payment) = &mut self.payment else { return };
        payment.order_ended = true;
        match payment.status {
            payment::Status::Pending | payment::Status::Challenge if known && page != Page::None => {
                payment.void = true;
            }
            payment::Status::Pending | payment::Status::Challenge => {
                payment.status = payment::Status::Cancelled;
            }
            payment::Status::Success | payment::Status::PartiallyRefunded => payment.refund_rest(!by_admin),
            _ => {}
        }
    }

    /// `DeliveryFailed`: all that is left of the money is refunded.
    pub fn refund_undelivered(&mut self) -> Possible {
        let payment = self.payment.as_mut()?;
        match payment.status {
            payment::Status::Success | payment::Status::PartiallyRefunded => {
                payment.undelivered = true;
                payment.refund_rest(false);
            }
            payment::Status::Refunded | payment::Status::Reversed if !payment.undelivered => {
                payment.undelivered = true;
                self.publish(Event::PaymentRefunded { undelivered: true });
            }
            // Its cause has not come yet.
            payment::Status::Pending | payment::Status::Challenge | payment::Status::Review => return None,
            _ => {}
        }
        Some(())
    }

    /// Applies Midtrans' answer about a transaction.
    pub fn settle(&mut self, rules: &Rules, transaction: usize, answer: payment::Answer) -> Possible {
        let payment = self.payment.as_mut()?;
        let known = payment.full();
        let second = payment.paid.is_some_and(|paid| paid != transaction);
        let transition =
            if second { (rules.second)(&known, answer) } else { (rules.payment)(&known, answer) };
        payment.status = transition.to;
        let mut events = Vec::new();
        for effect in transition.effects {
            match effect {
                payment::Effect::RecordPayment => payment.paid = Some(transaction),
                payment::Effect::PublishSuccess => events.push(Event::PaymentSuccess),
                payment::Effect::PublishFailed(_) => events.push(Event::PaymentFailed),
                payment::Effect::PublishReversed(_) => events.push(Event::PaymentReversed),
                payment::Effect::PublishNothingLeft => {
                    events.push(Event::PaymentRefunded { undelivered: true });
                }
                payment::Effect::Void => payment.void = true,
                payment::Effect::AlarmAmount => {}
            }
        }
        let at_midtrans = self.midtrans.transactions[transaction];
        for effect in transition.refunds {
            events.extend(payment.apply_refund(effect, transaction, at_midtrans));
        }
        for event in events {
            self.publish(event);
        }
        Some(())
    }
}

impl Payment {
    fn full(&self) -> payment::Payment {
        rules::payment(self.status, self.paid, self.order_ended, self.undelivered)
    }

    fn refund_rest(&mut self, late: bool) {
        if let Some(paid) = self.paid
            && self.refunds[paid] == Refund::None
        {
            self.refunds[paid] = Refund::Requested { late };
        }
    }

    fn apply_refund(
        &mut self,
        effect: payment::RefundEffect,
        transaction: usize,
        at_midtrans: Transaction,
    ) -> Option<Event> {
        let refund = &mut self.refunds[transaction];
        match (effect, *refund) {
            (payment::RefundEffect::RefundLate, Refund::None) if at_midtrans == Transaction::Paid => {
                *refund = Refund::Requested { late: true };
                None
            }
            (payment::RefundEffect::Complete, Refund::Requested { late }) => {
                *refund = Refund::Done { late };
                None
            }
            (payment::RefundEffect::Record, Refund::Requested { late }) => {
                *refund = Refund::Done { late };
                self.status = self.status.after_refund(true);
                Some(Event::PaymentRefunded { undelivered: self.undelivered })
            }
            _ => None,
        }
    }
}

/// What a service gave up.
#[derive(Debug)]
pub struct DeadLetter;

impl World {
    /// product-service applies an input to the hold of an order, and moves the stock.
    pub fn advance_hold(&mut self, rules: &Rules, place: usize, input: hold::Input<'_>) -> Possible {
        let saga = &mut self.sagas[place];
        let known = saga.hold.as_ref().map(|it| rules::hold(it.status, it.refused, it.ended_by_admin));
        let transition = match (rules.hold)(known.as_ref(), input) {
            Ok(transition) => transition,
            // Waits, or is asked again.
            Err(hold::Rejection::NotYet | hold::Rejection::NotSold) => return None,
            Err(_) => {
                self.dead_letter = true;
                return Some(());
            }
        };
        self.free += transition.stock().map_or(0, rules::moved);
        let in_stock = matches!(input, hold::Input::Created { in_stock: true });
        let by_admin = match input {
            hold::Input::Cancelled(cause) => Some(cause == CancelCause::Admin),
            _ => None,
        };
        let refused = by_admin.is_none() && !in_stock;
        let new = Hold { status: transition.to, refused, ended_by_admin: by_admin };
        match &mut saga.hold {
            None => saga.hold = Some(new),
            Some(hold) if hold.status != transition.to => {
                hold.status = transition.to;
                hold.ended_by_admin = by_admin.or(hold.ended_by_admin);
            }
            Some(_) => {}
        }
        if transition.effects.contains(&hold::Effect::PublishAnswer) {
            let held = saga.hold.as_ref().is_some_and(|hold| !hold.refused);
            saga.publish(if held { Event::Reserved } else { Event::Insufficient });
        }
        Some(())
    }

    /// delivery-service applies an input to a delivery that is there.
    pub fn advance_delivery(&mut self, rules: &Rules, place: usize, input: delivery::Input) -> Possible {
        let saga = &mut self.sagas[place];
        let transition = (rules.delivery)(saga.delivery?, input).ok()?;
        saga.delivery = Some(transition.to);
        for effect in transition.effects {
            saga.publish(match effect {
                delivery::Effect::PublishShipped => Event::Shipped,
                delivery::Effect::PublishDelivered => Event::Delivered,
                delivery::Effect::PublishFailed => Event::DeliveryFailed,
            });
        }
        Some(())
    }
}
