//! What must hold, whatever happens in whatever order.

use delivery_service::domain as delivery;
use order_service::domain::Status;
use payment_service::domain as payment;
use product_service::domain::hold;
use stateright::Property;

use crate::state::{Refund, Saga, Transaction, World};
use crate::steps::Shop;

pub const NEVER_OVERSOLD: &str = "nothing is sold that is not there";
pub const NO_DEAD_LETTER: &str = "no service gets what cannot be true";
pub const PROGRESS: &str = "whatever services do leads on, and never in a circle";
pub const AN_END: &str = "an order comes to rest only where it may";
pub const NO_MONEY_KEPT: &str = "no money is kept for a dead order, nor twice for one that lives";
pub const DELIVERED: &str = "what is paid has a delivery, and nothing else has";
pub const GOODS: &str = "goods are sold to who has paid, and free again otherwise";

pub fn all() -> Vec<Property<Shop>> {
    vec![
        Property::always(NEVER_OVERSOLD, |shop: &Shop, world: &World| {
            world.free >= 0 && units(world) == shop.units
        }),
        Property::always(NO_DEAD_LETTER, |_, world: &World| !world.dead_letter),
        Property::always(PROGRESS, |shop: &Shop, world: &World| {
            shop.own_steps(world).iter().all(|next| rank(next) > rank(world))
        }),
        Property::always(AN_END, |shop: &Shop, world: &World| at_rest(shop, world, Saga::may_rest)),
        Property::always(NO_MONEY_KEPT, |shop: &Shop, world: &World| {
            at_rest(shop, world, Saga::money_is_right)
        }),
        Property::always(DELIVERED, |shop: &Shop, world: &World| {
            at_rest(shop, world, Saga::delivery_is_right)
        }),
        Property::always(GOODS, |shop: &Shop, world: &World| at_rest(shop, world, Saga::hold_is_right)),
        // The model is no proof of anything if it never gets there.
        Property::sometimes("delivered", |_, world: &World| any(world, Status::Delivered)),
        Property::sometimes("cancelled", |_, world: &World| any(world, Status::Cancelled)),
    ]
}

fn any(world: &World, status: Status) -> bool {
    world.sagas.iter().any(|saga| saga.order.status == status)
}

/// All units, wherever they are.
fn units(world: &World) -> i64 {
    let kept = |saga: &&Saga| {
        saga.hold.as_ref().is_some_and(|it| matches!(it.status, hold::Status::Held | hold::Status::Sold))
    };
    world.free + i64::try_from(world.sagas.iter().filter(kept).count()).unwrap()
}

/// Whether this holds of every order once the services have nothing left to do: what people do or do not is not waited
/// for.
fn at_rest(shop: &Shop, world: &World, right: fn(&Saga) -> bool) -> bool {
    world.dead_letter || world.sagas.iter().all(right) || !shop.own_steps(world).is_empty()
}

impl Saga {
    fn may_rest(&self) -> bool {
        match self.order.status {
            Status::Paid | Status::Shipped | Status::Delivered => self.order.cancelling.is_none(),
            Status::Failed | Status::Cancelled | Status::Refunded => true,
            Status::Received | Status::AwaitingPayment => false,
            // Its refund waits for a person.
            Status::DeliveryFailed => self.is_left_to_a_person(),
        }
    }

    fn is_left_to_a_person(&self) -> bool {
        self.payment.as_ref().is_some_and(|payment| payment.refunds.contains(&Refund::Manual))
    }

    fn money_is_right(&self) -> bool {
        let count = |it| self.midtrans.transactions.iter().filter(|known| **known == it).count();
        let (kept, taken_back) = (count(Transaction::Paid), count(Transaction::ChargedBack));
        let lives = matches!(self.order.status, Status::Paid | Status::Shipped | Status::Delivered);
        if lives { kept <= 1 && kept + taken_back >= 1 } else { kept == 0 }
    }

    fn delivery_is_right(&self) -> bool {
        use delivery::Status as Is;
        match self.order.status {
            Status::Paid => self.delivery == Some(Is::Pending),
            Status::Shipped => self.delivery == Some(Is::InTransit),
            Status::Delivered => self.delivery == Some(Is::Delivered),
            Status::DeliveryFailed | Status::Refunded => self.delivery == Some(Is::Failed),
            _ => matches!(self.delivery, None | Some(Is::Cancelled)),
        }
    }

    fn hold_is_right(&self) -> bool {
        use hold::Status as Is;
        let hold = self.hold.as_ref().map(|hold| hold.status);
        match self.order.status {
            Status::Paid | Status::Shipped | Status::Delivered => hold == Some(Is::Sold),
            Status::DeliveryFailed | Status::Refunded => hold == Some(Is::Returned),
            _ => !matches!(hold, Some(Is::Held | Is::Sold)),
        }
    }

    /// How far it has come. Every step of a service adds to it, so they come to an end.
    fn rank(&self) -> usize {
        let order = match self.order.status {
            Status::Received => 0,
            Status::AwaitingPayment => 1,
            Status::Paid => 2,
            Status::Shipped => 3,
            Status::Delivered | Status::DeliveryFailed => 4,
            Status::Failed | Status::Cancelled | Status::Refunded => 5,
        };
        let hold = self.hold.as_ref().map_or(0, |hold| match hold.status {
            hold::Status::Held | hold::Status::Refused => 1,
            hold::Status::Sold => 2,
            hold::Status::Released | hold::Status::Returned => 3,
        });
        let delivery = self.delivery.map_or(0, |delivery| match delivery {
            delivery::Status::Pending => 1,
            delivery::Status::InTransit => 2,
            _ => 3,
        });
        let at_midtrans = self.midtrans.transactions.map(|it| it as usize).iter().sum::<usize>();
        // A move ends a recorded cancellation, and counts for more than that.
        let answers = 2 * usize::from(self.order.answered) + usize::from(self.order.cancelling.is_some());
        4 * (order + hold + delivery + at_midtrans + self.midtrans.page as usize + self.events.len())
            + answers
            + 4 * self.payment_rank()
            + usize::from(self.order.returning)
            + 4 * self.handled.len()
            + 16 * usize::from(self.republished)
    }

    fn payment_rank(&self) -> usize {
        let Some(payment) = &self.payment else { return 0 };
        let status = match payment.status {
            payment::Status::Pending => 1,
            payment::Status::Challenge => 2,
            payment::Status::Failed | payment::Status::Cancelled => 3,
            payment::Status::Review => 4,
            payment::Status::Success => 5,
            payment::Status::PartiallyRefunded => 6,
            payment::Status::Refunded | payment::Status::Reversed => 7,
        };
        let refunds = payment.refunds.iter().map(|refund| match refund {
            Refund::None => 0,
            Refund::Requested { .. } => 1,
            Refund::Done { .. } | Refund::Manual => 2,
        });
        let flags = [payment.order_ended, payment.undelivered, payment.closing, payment.void];
        status + refunds.sum::<usize>() + flags.map(usize::from).iter().sum::<usize>()
    }
}

fn rank(world: &World) -> usize {
    world.sagas.iter().map(Saga::rank).sum::<usize>() + usize::from(world.dead_letter)
}
