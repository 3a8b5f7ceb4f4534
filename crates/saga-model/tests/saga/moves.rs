//! Each step as the change that it makes. Nothing comes of one that is not possible.

use contracts::events::{CancelCause, PaymentFailure};
use delivery_service::domain as delivery;
use order_service::domain::{self as order, CancelStep, Transition};
use payment_service::domain::{self as payment, Answer};
use product_service::domain::hold;

use crate::rules::{self, Rules};
use crate::services::{DeadLetter, Possible};
use crate::state::{Event, Page, Refund, Saga, Transaction, World};
use crate::steps::Step;

impl World {
    /// What services do by themselves. What is consumed goes into the inbox in the same commit.
    pub fn step(&mut self, rules: &Rules, place: usize, step: Step) -> Possible {
        self.apply(rules, place, step)?;
        if step.event().is_some() {
            self.sagas[place].handled.insert(step);
        }
        Some(())
    }

    pub fn apply(&mut self, rules: &Rules, place: usize, step: Step) -> Possible {
        match step {
            Step::ProductConsumes(event) => return self.product_consumes(rules, place, event),
            Step::ReturnGoods if self.sagas[place].order.returning => {
                let input = hold::Input::Returned { line: rules::line(), before: &[] };
                return self.advance_hold(rules, place, input);
            }
            Step::StopDelivery => return self.stop_delivery(rules, place),
            _ => {}
        }
        match self.sagas[place].step(rules, step)? {
            Ok(()) => {}
            Err(DeadLetter) => self.dead_letter = true,
        }
        Some(())
    }

    fn product_consumes(&mut self, rules: &Rules, place: usize, event: Event) -> Possible {
        let cause = |by_admin| if by_admin { CancelCause::Admin } else { CancelCause::Payment };
        let input = match event {
            Event::Created => hold::Input::Created { in_stock: self.free > 0 },
            Event::Paid => hold::Input::Paid,
            Event::Cancelled { by_admin } => hold::Input::Cancelled(cause(by_admin)),
            _ => return None,
        };
        self.advance_hold(rules, place, input)
    }

    /// delivery-service cancels the delivery, or makes sure that it never starts.
    fn stop_delivery(&mut self, rules: &Rules, place: usize) -> Possible {
        let saga = &mut self.sagas[place];
        if saga.order.cancelling != Some(CancelStep::StopDelivery) {
            return None;
        }
        match saga.delivery {
            None => {
                saga.delivery = Some(delivery::Status::Cancelled);
                Some(())
            }
            Some(_) => self.advance_delivery(rules, place, delivery::Input::Cancel),
        }
    }
}

/// Nothing where a step is not possible; else whether it led to a dead letter.
pub type Done = Option<Result<(), DeadLetter>>;

pub const DONE: Done = Some(Ok(()));

impl Saga {
    fn step(&mut self, rules: &Rules, step: Step) -> Done {
        match step {
            Step::OrderConsumes(event) => {
                let transition = (rules.order)(self.order.status, &self.input(event)?);
                // It waits, and comes again.
                let postponed = transition.effects.contains(&order::Effect::Postpone);
                return if postponed { None } else { Some(self.move_order(&transition)) };
            }
            Step::PaymentConsumes(event) => self.payment_consumes(event)?,
            Step::DeliveryConsumes(Event::Paid) => {
                self.delivery.get_or_insert(delivery::Status::Pending);
            }
            Step::MakePage => self.make_page()?,
            Step::PublishOrderAgain if self.is(order::Status::Received) => self.publish_order_again()?,
            Step::TimeOut => return Some(self.advance_order(rules, &order::Input::TimedOut)),
            Step::Expire => self.expire(),
            Step::DenyChallenged(n) => self.change(n, Transaction::Challenged, Transaction::Denied)?,
            Step::Observe(n) => self.observe(rules, n)?,
            Step::TimeOutPayment if self.is_closed() => self.settle(rules, 0, Answer::TimedOut)?,
            Step::StartClosing if self.is_asked_to_close() => {
                let payment = self.payment.as_mut().filter(|payment| payment.status.is_open())?;
                payment.closing = true;
            }
            Step::CloseAtMidtrans => self.close_at_midtrans()?,
            Step::SettleClosed => self.settle_closed(rules)?,
            Step::AnswerClosing => return self.answer_closing(),
            Step::ReconcileUnpaid => return self.reconcile_unpaid(rules),
            Step::AnswerStopping => return self.answer_stopping(),
            Step::ReconcilePaid => return self.reconcile_paid(),
            Step::MakeRefund(n) => self.make_refund(n)?,
            _ => return None,
        }
        DONE
    }

    fn is(&self, status: order::Status) -> bool {
        self.order.status == status
    }

    /// The order gets no answer because something was lost: as a new event, it is handled again.
    fn publish_order_again(&mut self) -> Possible {
        let consumed = Step::ProductConsumes(Event::Created);
        let answered = [Event::Reserved, Event::Insufficient].iter().any(|it| self.events.contains(it));
        let lost = !self.events.contains(&Event::Created) || self.handled.contains(&consumed) && !answered;
        lost.then(|| {
            self.publish(Event::Created);
            self.handled.remove(&consumed);
            self.republished += 1;
        })
    }

    fn payment_consumes(&mut self, event: Event) -> Possible {
        match event {
            Event::Created => self.open_payment(),
            Event::Cancelled { by_admin } => self.end_payment(by_admin),
            Event::DeliveryFailed => self.refund_undelivered()?,
            _ => return None,
        }
        Some(())
    }

    /// The page is requested once the goods are held.
    fn make_page(&mut self) -> Possible {
        let open = self.payment.as_ref()?.status == payment::Status::Pending;
        let requested = self.events.contains(&Event::Reserved) && self.is(order::Status::Received);
        (open && requested && self.midtrans.page == Page::None).then(|| self.midtrans.page = Page::Open)
    }

    fn expire(&mut self) {
        if self.midtrans.page == Page::Open {
            self.midtrans.page = Page::Closed;
        }
        if self.midtrans.page == Page::Closed {
            self.end_pending(Transaction::Expired);
        }
    }

    fn end_pending(&mut self, end: Transaction) {
        for transaction in &mut self.midtrans.transactions {
            if *transaction == Transaction::Pending {
                *transaction = end;
            }
        }
    }

    pub fn change(&mut self, transaction: usize, from: Transaction, to: Transaction) -> Possible {
        let found = &mut self.midtrans.transactions[transaction];
        (*found == from).then(|| *found = to)
    }

    fn observe(&mut self, rules: &Rules, transaction: usize) -> Possible {
        let payment = self.payment.as_ref()?;
        let answer = match self.midtrans.transactions[transaction] {
            Transaction::None => return None,
            Transaction::Pending => Answer::Waiting,
            Transaction::Challenged => Answer::Challenged,
            Transaction::Denied => Answer::Denied,
            Transaction::Expired => Answer::Expired,
            Transaction::Cancelled if payment.closing && payment.status.is_open() => Answer::Closed,
            Transaction::Cancelled => Answer::Cancelled,
            Transaction::Paid => Answer::Paid,
            Transaction::Refunded => Answer::Refunded,
            Transaction::ChargedBack => Answer::ChargedBack,
        };
        self.settle(rules, transaction, answer)
    }

    /// Whether nothing can be paid any more: Midtrans says so when it is asked.
    fn is_closed(&self) -> bool {
        let ended = |transaction: &Transaction| !transaction.is_open() && *transaction < Transaction::Paid;
        self.midtrans.page == Page::Closed && self.midtrans.transactions.iter().all(ended)
    }

    /// Whether order-service asks to close the payment: for a cancellation, or because its time is up.
    fn is_asked_to_close(&self) -> bool {
        let expired = self.is(order::Status::AwaitingPayment) && self.midtrans.page == Page::Closed;
        self.order.cancelling == Some(CancelStep::ClosePayment) || expired
    }

    fn close_at_midtrans(&mut self) -> Possible {
        let payment = self.payment.as_ref()?;
        if !(payment.void || payment.closing && payment.status.is_open()) {
            return None;
        }
        // What is paid already is observed instead.
        if self.midtrans.page == Page::Open {
            self.midtrans.page = Page::Closed;
        }
        for transaction in &mut self.midtrans.transactions {
            if transaction.is_open() {
                *transaction = Transaction::Cancelled;
            }
        }
        Some(())
    }

    fn settle_closed(&mut self, rules: &Rules) -> Possible {
        let page = self.midtrans.page;
        let payment = self.payment.as_mut()?;
        if payment.closing && page == Page::None && payment.status == payment::Status::Pending {
            payment.status = payment::Status::Cancelled;
            return Some(());
        }
        let asked = payment.closing || payment.void;
        if asked && self.is_closed() { self.settle(rules, 0, Answer::Closed) } else { None }
    }

    /// What payment-service answers: whether the payment is closed for good. Nothing if that is not known yet. A payment
    /// that is paid is published again.
    fn closing_outcome(&mut self) -> Option<bool> {
        use payment::Status;
        let payment = self.payment.as_ref()?;
        let (status, paid) = (payment.status, payment.paid);
        if paid.is_some_and(|paid| payment.refunds[paid].is_late()) && !status.is_open() {
            return Some(true);
        }
        match status {
            Status::Failed | Status::Cancelled => Some(true),
            Status::Success | Status::PartiallyRefunded => {
                self.publish(Event::PaymentSuccess);
                Some(false)
            }
            Status::Refunded | Status::Reversed => Some(false),
            Status::Pending | Status::Challenge | Status::Review => None,
        }
    }

    fn answer_closing(&mut self) -> Done {
        if self.order.cancelling != Some(CancelStep::ClosePayment) {
            return None;
        }
        let closed = self.closing_outcome()?;
        self.answer(closed, order::Status::AwaitingPayment, CancelCause::Customer)
    }

    fn answer_stopping(&mut self) -> Done {
        if self.order.cancelling != Some(CancelStep::StopDelivery) {
            return None;
        }
        let stopped = match self.delivery? {
            delivery::Status::Pending => return None,
            status => status == delivery::Status::Cancelled,
        };
        self.answer(stopped, order::Status::Paid, CancelCause::Admin)
    }

    /// The recorded cancellation ends with the answer.
    fn answer(&mut self, agreed: bool, from: order::Status, cause: CancelCause) -> Done {
        self.order.cancelling = None;
        self.order.answered += 1;
        if agreed && self.is(from) { Some(self.cancel(cause)) } else { DONE }
    }

    pub fn cancel(&mut self, cause: CancelCause) -> Result<(), DeadLetter> {
        self.move_order(&Transition::to(order::State::Cancelled { cause, reason: None }))
    }

    fn reconcile_unpaid(&mut self, rules: &Rules) -> Done {
        let idle = self.is(order::Status::AwaitingPayment) && self.order.cancelling.is_none();
        if !idle || self.midtrans.page != Page::Closed {
            return None;
        }
        if self.closing_outcome()? {
            let failed = order::Input::PaymentFailed(PaymentFailure::Expired);
            return Some(self.advance_order(rules, &failed));
        }
        DONE
    }

    fn reconcile_paid(&mut self) -> Done {
        if !self.is(order::Status::Paid) || self.order.cancelling.is_some() {
            return None;
        }
        match self.delivery {
            None if !self.events.contains(&Event::Paid) => {
                self.publish(Event::Paid);
                DONE
            }
            Some(delivery::Status::Cancelled) => Some(self.cancel(CancelCause::Admin)),
            None | Some(_) => None,
        }
    }

    fn make_refund(&mut self, transaction: usize) -> Possible {
        let refund = &mut self.payment.as_mut()?.refunds[transaction];
        let found = &mut self.midtrans.transactions[transaction];
        match (*refund, *found) {
            (Refund::Requested { .. }, Transaction::Paid) => *found = Transaction::Refunded,
            (Refund::Requested { .. }, Transaction::ChargedBack) => *refund = Refund::Manual,
            _ => return None,
        }
        Some(())
    }
}
