//! What can happen next, and what comes of it.

use stateright::{Model, Property};

use crate::properties;
use crate::rules::Rules;
use crate::state::{Choices, Event, World};

/// The model: where it begins, and by which rules it goes on.
#[derive(Clone)]
pub struct Shop {
    pub rules: Rules,
    pub units: i64,
    pub orders: usize,
    pub choices: Choices,
    /// Events that are lost for good.
    pub losses: u8,
}

/// A step, of this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Shop(usize, Step),
    World(usize, Chance),
}

/// What services do by themselves, at any time: nobody has to help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    OrderConsumes(Event),
    ProductConsumes(Event),
    PaymentConsumes(Event),
    DeliveryConsumes(Event),
    /// payment-service makes the page that order-service asks for.
    MakePage,
    /// The order is RECEIVED for too long: it is published again.
    PublishOrderAgain,
    /// The order is RECEIVED for much too long.
    TimeOut,
    /// Midtrans ends what was not paid in time.
    Expire,
    /// Midtrans or the merchant decides against a challenged card.
    DenyChallenged(usize),
    /// payment-service asks about a transaction.
    Observe(usize),
    /// Nobody chose how to pay until the end of the page.
    TimeOutPayment,
    /// A cancellation is recorded: payment-service notes that it closes the payment.
    StartClosing,
    /// Midtrans closes the page, and what is pending on it.
    CloseAtMidtrans,
    /// payment-service learns that it is closed.
    SettleClosed,
    /// order-service gets the answer to its request to close the payment.
    AnswerClosing,
    /// Nobody has paid in time, and no event says so: order-service asks.
    ReconcileUnpaid,
    /// delivery-service stops a delivery that order-service asks it to.
    StopDelivery,
    AnswerStopping,
    /// The order is PAID and no delivery is known: order-service asks.
    ReconcilePaid,
    /// Midtrans makes a refund.
    MakeRefund(usize),
    ReturnGoods,
}

/// What people, banks and the world do, or do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chance {
    Choose(usize),
    Pay(usize),
    Deny(usize),
    Challenge(usize),
    PayLate(usize),
    ChargeBack(usize),
    BuyerCancels,
    AdminCancels,
    GoodsLeave,
    GoodsArrive,
    GoodsComeBack,
    /// An event is lost for good.
    Lose(Event),
    /// An event comes again that its inbox has purged.
    Repeat(Step),
}

impl Step {
    /// What is consumed by it.
    pub fn event(self) -> Option<Event> {
        match self {
            Self::OrderConsumes(event)
            | Self::ProductConsumes(event)
            | Self::PaymentConsumes(event)
            | Self::DeliveryConsumes(event) => Some(event),
            _ => None,
        }
    }
}

const STEPS: [Step; 20] = [
    Step::MakePage,
    Step::PublishOrderAgain,
    Step::TimeOut,
    Step::Expire,
    Step::DenyChallenged(0),
    Step::DenyChallenged(1),
    Step::Observe(0),
    Step::Observe(1),
    Step::TimeOutPayment,
    Step::StartClosing,
    Step::CloseAtMidtrans,
    Step::SettleClosed,
    Step::AnswerClosing,
    Step::ReconcileUnpaid,
    Step::StopDelivery,
    Step::AnswerStopping,
    Step::ReconcilePaid,
    Step::MakeRefund(0),
    Step::MakeRefund(1),
    Step::ReturnGoods,
];

const CHANCES: [Chance; 17] = [
    Chance::Choose(0),
    Chance::Choose(1),
    Chance::Pay(0),
    Chance::Pay(1),
    Chance::Deny(0),
    Chance::Deny(1),
    Chance::Challenge(0),
    Chance::Challenge(1),
    Chance::PayLate(0),
    Chance::PayLate(1),
    Chance::ChargeBack(0),
    Chance::ChargeBack(1),
    Chance::BuyerCancels,
    Chance::AdminCancels,
    Chance::GoodsLeave,
    Chance::GoodsArrive,
    Chance::GoodsComeBack,
];

impl Shop {
    /// What services can do in this world, and what comes of it: only what changes something.
    pub fn own_steps(&self, world: &World) -> Vec<World> {
        let (mut actions, mut next) = (Vec::new(), Vec::new());
        collect_own(world, &mut actions);
        next.extend(actions.into_iter().filter_map(|action| self.next_state(world, action)));
        next
    }
}

fn collect_own(world: &World, actions: &mut Vec<Action>) {
    for (place, saga) in world.sagas.iter().enumerate() {
        actions.extend(STEPS.map(|step| Action::Shop(place, step)));
        let consumed = saga.events.iter().flat_map(|event| consumers(*event));
        let new = consumed.filter(|step| !saga.handled.contains(step));
        actions.extend(new.map(|step| Action::Shop(place, step)));
    }
}

/// Who consumes an event, as the contract says.
fn consumers(event: Event) -> Vec<Step> {
    use Step::{DeliveryConsumes, OrderConsumes, PaymentConsumes, ProductConsumes};
    match event {
        Event::Created | Event::Cancelled { .. } => vec![ProductConsumes(event), PaymentConsumes(event)],
        Event::Paid => vec![ProductConsumes(event), DeliveryConsumes(event)],
        Event::DeliveryFailed => vec![OrderConsumes(event), PaymentConsumes(event)],
        Event::Reserved
        | Event::Insufficient
        | Event::PaymentSuccess
        | Event::PaymentFailed
        | Event::PaymentRefunded { .. }
        | Event::PaymentReversed
        | Event::Shipped
        | Event::Delivered => vec![OrderConsumes(event)],
    }
}

impl Model for Shop {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self.units, self.orders, self.choices, self.losses)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        collect_own(world, actions);
        for (place, saga) in world.sagas.iter().enumerate() {
            actions.extend(CHANCES.map(|chance| Action::World(place, chance)));
            // Of OrderPaid only the delivery is asked for: a sale that product-service missed for good is the doctor's.
            let sold = saga.handled.contains(&Step::ProductConsumes(Event::Paid));
            let may_be_lost = |event: &&Event| event.is_reconciled() && (**event != Event::Paid || sold);
            let lost = saga.events.iter().filter(|event| world.losses > 0 && may_be_lost(event));
            actions.extend(lost.map(|event| Action::World(place, Chance::Lose(*event))));
            actions.extend(saga.handled.iter().map(|step| Action::World(place, Chance::Repeat(*step))));
        }
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        // What is a dead letter is found already; nothing has to be known of what follows.
        if world.dead_letter {
            return None;
        }
        let mut next = world.clone();
        match action {
            Action::Shop(place, step) => next.step(&self.rules, place, step),
            Action::World(place, chance) => next.happen(&self.rules, place, chance),
        }?;
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}
