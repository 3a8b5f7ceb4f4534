//! The saga of an order as a model, checked in every order in which things can happen: events that come twice, late, in any
//! order or never, crashes between any two commits, late and double payments, cancellations at any time.
//!
//! The state machines are those of the services, called as they call them. What the model has of its own is what happens
//! around them: when something can happen, and that each step is one commit.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a test may print and panic")]
#![allow(clippy::option_option, reason = "no answer yet, or the answer that there is none")]
#![allow(clippy::struct_excessive_bools, reason = "what may or may not have happened, in any combination")]

mod chances;
mod moves;
mod properties;
mod rules;
mod services;
mod state;
mod steps;

use std::collections::BTreeSet;

use order_service::domain as order;
use payment_service::domain::{self as payment, RefundEffect};
use product_service::domain::hold;
use stateright::{Checker, HasDiscoveries, Model};

use rules::Rules;
use state::Choices;
use steps::Shop;

/// Nobody does anything but buy.
const CALM: Choices = Choices {
    buyer_cancels: false,
    admin_cancels: false,
    pays_twice: false,
    pays_late: false,
    charges_back: false,
    is_challenged: false,
    is_undeliverable: false,
};

fn shop(choices: Choices) -> Shop {
    Shop { rules: Rules::OF_THE_SERVICES, units: 1, orders: 1, choices, losses: 0 }
}

/// Checks every state that can be reached.
fn check(shop: Shop) {
    let checker = shop.checker().threads(2).spawn_bfs().join();
    println!("{} states", checker.unique_state_count());
    checker.assert_properties();
}

/// Whether the model finds that this does not hold by these rules.
fn finds(property: &'static str, shop: Shop) {
    let when = HasDiscoveries::AnyOf(BTreeSet::from([property]));
    let checker = shop.checker().finish_when(when).spawn_bfs().join();
    let path = checker.assert_any_discovery(property);
    println!("{property}: {:?}", path.into_actions());
}

#[test]
fn an_order_ends_well_however_it_is_cancelled_and_undeliverable() {
    let choices = Choices { buyer_cancels: true, admin_cancels: true, is_undeliverable: true, ..CALM };
    check(Shop { losses: 1, ..shop(choices) });
}

#[test]
fn money_that_comes_late_or_twice_goes_back() {
    let choices = Choices { pays_twice: true, pays_late: true, buyer_cancels: true, ..CALM };
    check(shop(choices));
}

#[test]
fn money_that_banks_hold_back_or_take_back_is_accounted_for() {
    let choices = Choices {
        charges_back: true,
        is_challenged: true,
        is_undeliverable: true,
        admin_cancels: true,
        ..CALM
    };
    check(shop(choices));
}

#[test]
fn of_two_who_want_the_last_unit_one_gets_it() {
    let shop = Shop { orders: 2, ..shop(Choices { buyer_cancels: true, ..CALM }) };
    // All that two orders can do to one another about their unit they do within so many steps.
    let checker = shop.checker().threads(2).target_max_depth(12).spawn_bfs().join();
    println!("{} states", checker.unique_state_count());
    for property in [properties::NEVER_OVERSOLD, properties::NO_DEAD_LETTER, properties::PROGRESS] {
        checker.assert_no_discovery(property);
    }
}

#[test]
fn a_late_payment_that_is_not_refunded_is_found() {
    let rules = Rules {
        payment: |payment, answer| {
            let mut transition = payment::Payment::on(payment, answer);
            transition.refunds.retain(|effect| *effect != RefundEffect::RefundLate);
            transition
        },
        ..Rules::OF_THE_SERVICES
    };
    finds(properties::NO_MONEY_KEPT, Shop { rules, ..shop(Choices { pays_late: true, ..CALM }) });
}

#[test]
fn goods_of_a_cancelled_order_that_stay_held_are_found() {
    let rules = Rules {
        hold: |hold, input| match (hold, input) {
            (Some(hold), hold::Input::Cancelled(_)) => {
                Ok(hold::Transition { to: hold.status, effects: Vec::new() })
            }
            _ => hold::Hold::on(hold, input),
        },
        ..Rules::OF_THE_SERVICES
    };
    finds(properties::GOODS, Shop { rules, ..shop(CALM) });
}

#[test]
fn a_unit_that_is_sold_twice_is_found() {
    let rules = Rules {
        hold: |hold, input| {
            let blind = hold::Input::Created { in_stock: true };
            hold::Hold::on(hold, if matches!(input, hold::Input::Created { .. }) { blind } else { input })
        },
        ..Rules::OF_THE_SERVICES
    };
    finds(properties::NEVER_OVERSOLD, Shop { rules, orders: 2, ..shop(CALM) });
}

#[test]
fn a_buyer_who_may_cancel_what_is_paid_is_found() {
    let rules = Rules {
        cancel: |status, requester| match status {
            order::Status::Paid => order::CancelPlan::AtOnce,
            _ => status.plan_cancel(requester),
        },
        ..Rules::OF_THE_SERVICES
    };
    finds(properties::DELIVERED, Shop { rules, ..shop(Choices { buyer_cancels: true, ..CALM }) });
}

#[test]
fn an_order_that_waits_for_ever_is_found() {
    let rules = Rules {
        order: |status, input| match input {
            order::Input::TimedOut | order::Input::StockInsufficient(..) => {
                order::Transition { to: None, effects: Vec::new() }
            }
            _ => order::Status::on(status, input),
        },
        ..Rules::OF_THE_SERVICES
    };
    finds(properties::AN_END, Shop { rules, units: 0, ..shop(CALM) });
}
