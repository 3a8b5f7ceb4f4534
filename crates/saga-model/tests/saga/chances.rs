//! What people, banks and the world do, or do not. Nothing comes of what is not possible.

use delivery_service::domain as delivery;
use order_service::domain::{CancelPlan, Requester};

use crate::moves::{DONE, Done};
use crate::rules::Rules;
use crate::services::{DeadLetter, Possible};
use crate::state::{Page, Saga, Transaction, World};
use crate::steps::Chance;

impl World {
    /// What people, banks and the world do.
    pub fn happen(&mut self, rules: &Rules, place: usize, chance: Chance) -> Possible {
        match chance {
            Chance::GoodsLeave => {
                let paid = self.sagas[place].payment.as_ref()?.status.is_paid();
                let set = delivery::Input::Set(delivery::Status::InTransit);
                return if paid { self.advance_delivery(rules, place, set) } else { None };
            }
            Chance::GoodsArrive if self.sagas[place].delivery == Some(delivery::Status::InTransit) => {
                let set = delivery::Input::Set(delivery::Status::Delivered);
                return self.advance_delivery(rules, place, set);
            }
            Chance::GoodsComeBack if self.sagas[place].choices.is_undeliverable => {
                let set = delivery::Input::Set(delivery::Status::Failed);
                return self.advance_delivery(rules, place, set);
            }
            Chance::Lose(event) => {
                self.losses -= 1;
                self.sagas[place].events.remove(&event);
                self.sagas[place].handled.retain(|step| step.event() != Some(event));
                return Some(());
            }
            Chance::Repeat(step) => return self.apply(rules, place, step),
            _ => {}
        }
        match self.sagas[place].happen(rules, chance)? {
            Ok(()) => {}
            Err(DeadLetter) => self.dead_letter = true,
        }
        Some(())
    }
}

impl Saga {
    fn happen(&mut self, rules: &Rules, chance: Chance) -> Done {
        match chance {
            Chance::Choose(n) => {
                let first =
                    n == 0 || self.choices.pays_twice && self.midtrans.transactions[0] != Transaction::None;
                (first && self.midtrans.page == Page::Open).then_some(())?;
                self.change(n, Transaction::None, Transaction::Pending)?;
            }
            Chance::Pay(n) => self
                .change(n, Transaction::Pending, Transaction::Paid)
                .or_else(|| self.change(n, Transaction::Challenged, Transaction::Paid))?,
            Chance::Deny(n) => self.change(n, Transaction::Pending, Transaction::Denied)?,
            Chance::Challenge(n) if self.choices.is_challenged => {
                self.change(n, Transaction::Pending, Transaction::Challenged)?;
            }
            Chance::PayLate(n) if self.choices.pays_late => {
                self.change(n, Transaction::Expired, Transaction::Paid)
                    .or_else(|| self.change(n, Transaction::Cancelled, Transaction::Paid))?;
                self.choices.pays_late = false;
            }
            Chance::ChargeBack(n) if self.choices.charges_back => {
                self.change(n, Transaction::Paid, Transaction::ChargedBack)?;
                self.choices.charges_back = false;
            }
            Chance::BuyerCancels if std::mem::take(&mut self.choices.buyer_cancels) => {
                return self.request_cancellation(rules, Requester::Buyer);
            }
            Chance::AdminCancels if std::mem::take(&mut self.choices.admin_cancels) => {
                return self.request_cancellation(rules, Requester::Admin { owner: false });
            }
            _ => return None,
        }
        DONE
    }

    fn request_cancellation(&mut self, rules: &Rules, requester: Requester) -> Done {
        match (rules.cancel)(self.order.status, requester) {
            CancelPlan::AtOnce => Some(self.cancel(requester.cause(self.order.status))),
            CancelPlan::After(step) => {
                self.order.cancelling = Some(step);
                DONE
            }
            CancelPlan::Done | CancelPlan::Refused(_) => DONE,
        }
    }
}
