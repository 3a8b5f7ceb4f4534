//! Every pair of state and input against table T3 of the contract.

use contracts::{
    events::{InsufficientReason, Item},
    tables::Table,
};

use super::*;
use crate::domain::allocation::lines;

const OTHER_CAUSES: [CancelCause; 4] =
    [CancelCause::Customer, CancelCause::Stock, CancelCause::Payment, CancelCause::Timeout];

fn product(id: i64) -> ProductId {
    id.try_into().unwrap()
}

fn line(id: i64, quantity: i64) -> Line {
    Line { product_id: product(id), quantity }
}

fn hold(status: Status) -> Hold {
    let items = [Item { product_id: product(1), quantity: 2 }, Item { product_id: product(2), quantity: 1 }];
    Hold {
        status,
        lines: lines(&items).unwrap(),
        refusal: None,
        cancel_cause: None,
        user_id: None,
        total_amount: None,
    }
}

/// A hold in a state as the table's columns name it.
fn state(name: &str) -> Option<Hold> {
    let refusal = Some(Refusal { reason: InsufficientReason::Insufficient, items: vec![] });
    let (admin, other) = (Some(CancelCause::Admin), Some(CancelCause::Payment));
    Some(match name {
        "nothing yet" => return None,
        "HELD" => hold(Status::Held),
        "REFUSED" => Hold { refusal, ..hold(Status::Refused) },
        "REFUSED unseen" => Hold { cancel_cause: other, ..hold(Status::Refused) },
        "SOLD" => hold(Status::Sold),
        "RELEASED" => Hold { cancel_cause: other, ..hold(Status::Released) },
        "RELEASED by admin" => Hold { cancel_cause: admin, ..hold(Status::Released) },
        "RETURNED" => hold(Status::Returned),
        "RETURNED by admin" => Hold { cancel_cause: admin, ..hold(Status::Returned) },
        unknown => panic!("{unknown}"),
    })
}

/// The inputs of a row of the table.
fn inputs(row: &str) -> Vec<Input<'static>> {
    match row {
        "OrderCreated with enough in stock" => vec![Input::Created { in_stock: true }],
        "OrderCreated with too little in stock" => vec![Input::Created { in_stock: false }],
        "OrderPaid" => vec![Input::Paid],
        "OrderCancelled by admin" => vec![Input::Cancelled(CancelCause::Admin)],
        "OrderCancelled otherwise" => OTHER_CAUSES.map(Input::Cancelled).to_vec(),
        unknown => panic!("{unknown}"),
    }
}

/// What the machine does, in the words of the table's cells.
fn outcome(hold: Option<&Hold>, input: Input<'_>) -> String {
    match Hold::on(hold, input) {
        Ok(Transition { to, effects }) if hold.is_some_and(|hold| hold.status == to) => {
            match effects.as_slice() {
                [] => "=",
                [Effect::PublishAnswer] => "again",
                [Effect::LogLatePayment] => "note",
                unknown => panic!("{unknown:?}"),
            }
            .to_owned()
        }
        Ok(Transition { to, .. }) => {
            let suffix = match (input, hold) {
                (Input::Cancelled(_), None) => " unseen",
                (Input::Cancelled(CancelCause::Admin), Some(_)) => " by admin",
                _ => "",
            };
            format!("{to:?}").to_uppercase() + suffix
        }
        Err(Rejection::NotYet) => "wait".to_owned(),
        Err(_) => "x".to_owned(),
    }
}

#[test]
fn every_pair_of_state_and_event_is_as_the_contract_says() {
    let table = Table::below("T3");
    assert_eq!((table.states.len(), table.rows.len()), (9, 5));
    for name in &table.states {
        let hold = state(name);
        for (row, _) in &table.rows {
            for input in inputs(row) {
                assert_eq!(outcome(hold.as_ref(), input), table.outcome(row, name), "{name}: {input:?}");
            }
        }
    }
}

#[test]
fn the_stock_moves_exactly_when_the_state_does_and_for_the_reason_of_the_new_one() {
    let table = Table::below("T3");
    for name in &table.states {
        let hold = state(name);
        for input in table.rows.iter().flat_map(|(row, _)| inputs(row)) {
            let Ok(transition) = Hold::on(hold.as_ref(), input) else { continue };
            let moved = hold.as_ref().is_none_or(|hold| hold.status != transition.to);
            let expected = match transition.to {
                Status::Held => Some(Reason::Hold),
                Status::Sold => Some(Reason::Sale),
                Status::Released => Some(Reason::Release),
                Status::Returned => Some(Reason::Return),
                Status::Refused => None,
            };
            assert_eq!(transition.stock(), expected.filter(|_| moved), "{name}: {input:?}");
        }
    }
}

#[test]
fn goods_come_back_only_from_a_sale_and_never_more_than_was_sold() {
    let back = |line| Input::Returned { line, before: &[] };
    let unsold = ["nothing yet", "HELD", "REFUSED", "REFUSED unseen", "RELEASED", "RELEASED by admin"];
    for name in unsold {
        assert_eq!(Hold::on(state(name).as_ref(), back(line(1, 1))), Err(Rejection::NotSold), "{name}");
    }
    let sold = hold(Status::Sold);
    assert_eq!(Hold::on(Some(&sold), back(line(1, 3))), Err(Rejection::MoreThanSold(2)));
    assert_eq!(Hold::on(Some(&sold), back(line(9, 1))), Err(Rejection::MoreThanSold(0)));
}

#[test]
fn the_last_line_that_comes_back_ends_the_hold_and_no_line_comes_back_twice() {
    fn on(status: Status, before: &[ProductId]) -> Transition {
        Hold::on(Some(&hold(status)), Input::Returned { line: line(1, 2), before }).unwrap()
    }
    assert_eq!(on(Status::Sold, &[]), Transition::with_stock(Status::Sold, Reason::Return));
    assert_eq!(on(Status::Sold, &[product(2)]), Transition::with_stock(Status::Returned, Reason::Return));
    let nothing = |to| Transition { to, effects: vec![] };
    assert_eq!(on(Status::Sold, &[product(1)]), nothing(Status::Sold));
    assert_eq!(on(Status::Returned, &[product(1), product(2)]), nothing(Status::Returned));
}
