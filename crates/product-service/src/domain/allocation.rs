//! Allocating stock: an order gets all it asks for, or nothing.

use std::collections::BTreeMap;

use contracts::{
    ProductId,
    events::{InsufficientReason, Item, Shortage},
};
use serde::{Deserialize, Serialize};

/// Units of a product that an order asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub product_id: ProductId,
    /// Units, at least 1.
    pub quantity: i64,
}

/// What there is of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StockLevel {
    /// Units that nobody holds.
    pub free: i64,
    pub on_sale: bool,
}

/// A product that never existed has none.
pub type StockLevels = BTreeMap<ProductId, StockLevel>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    pub reason: InsufficientReason,
    /// The lines that could not be held, each with what was free.
    pub items: Vec<Shortage>,
}

/// Items that no order can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an order has items, and at least one unit of each")]
pub struct ImpossibleItems;

/// The items of an order with each product once, in the order of their ids.
///
/// # Errors
/// If there are none, or less than one unit of something.
pub fn lines(items: &[Item]) -> Result<Vec<Line>, ImpossibleItems> {
    let mut units: BTreeMap<ProductId, i64> = BTreeMap::new();
    for item in items {
        if item.quantity < 1 {
            return Err(ImpossibleItems);
        }
        *units.entry(item.product_id).or_default() += i64::from(item.quantity);
    }
    if units.is_empty() {
        return Err(ImpossibleItems);
    }
    Ok(units.into_iter().map(|(product_id, quantity)| Line { product_id, quantity }).collect())
}

/// Takes everything that an order asks for from the stock. If something is missing, nothing is taken.
///
/// # Errors
/// Everything that is missing.
pub fn allocate(levels: &mut StockLevels, lines: &[Line]) -> Result<(), Refusal> {
    let shortages: Vec<(Shortage, bool)> = lines.iter().filter_map(|line| shortage(levels, line)).collect();
    if shortages.is_empty() {
        for line in lines {
            if let Some(level) = levels.get_mut(&line.product_id) {
                level.free -= line.quantity;
            }
        }
        return Ok(());
    }
    let gone = shortages.iter().any(|(_, gone)| *gone);
    let reason = if gone { InsufficientReason::ProductGone } else { InsufficientReason::Insufficient };
    Err(Refusal { reason, items: shortages.into_iter().map(|(shortage, _)| shortage).collect() })
}

/// What is missing for a line, and whether that is because the product is gone.
fn shortage(levels: &StockLevels, line: &Line) -> Option<(Shortage, bool)> {
    let level = levels.get(&line.product_id).filter(|level| level.on_sale);
    let available = level.map_or(0, |level| level.free);
    let requested = i32::try_from(line.quantity).unwrap_or(i32::MAX);
    let missing = Shortage { product_id: line.product_id, requested, available };
    (available < line.quantity).then_some((missing, level.is_none()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(id: i64) -> ProductId {
        id.try_into().unwrap()
    }

    fn line(product: i64, quantity: i64) -> Line {
        Line { product_id: id(product), quantity }
    }

    fn levels(free: [i64; 2]) -> StockLevels {
        let level = |free| StockLevel { free, on_sale: true };
        [(id(1), level(free[0])), (id(2), level(free[1]))].into()
    }

    #[test]
    fn an_order_gets_all_it_asks_for() {
        let mut stock = levels([2, 3]);
        assert_eq!(allocate(&mut stock, &[line(1, 2), line(2, 1)]), Ok(()));
        assert_eq!(stock, levels([0, 2]));
    }

    #[test]
    fn an_order_that_cannot_get_all_takes_nothing_and_learns_what_is_missing() {
        let mut stock = levels([2, 3]);
        let refusal = allocate(&mut stock, &[line(1, 2), line(2, 4)]).unwrap_err();
        let missing = Shortage { product_id: id(2), requested: 4, available: 3 };
        assert_eq!(refusal, Refusal { reason: InsufficientReason::Insufficient, items: vec![missing] });
        assert_eq!(stock, levels([2, 3]));
    }

    #[test]
    fn what_is_off_sale_or_unknown_is_gone_however_much_of_it_there_is() {
        let mut stock = levels([5, 5]);
        stock.insert(id(1), StockLevel { free: 5, on_sale: false });
        let refusal = allocate(&mut stock, &[line(1, 1), line(9, 1), line(2, 1)]).unwrap_err();
        assert_eq!(refusal.reason, InsufficientReason::ProductGone);
        let missing: Vec<_> =
            refusal.items.iter().map(|item| (item.product_id.get(), item.available)).collect();
        assert_eq!(missing, [(1, 0), (9, 0)]);
    }

    #[test]
    fn a_product_that_is_named_twice_is_counted_together() {
        let item = |product, quantity| Item { product_id: id(product), quantity };
        assert_eq!(lines(&[item(2, 1), item(1, 3), item(2, 2)]), Ok(vec![line(1, 3), line(2, 3)]));
        let most = lines(&[item(1, i32::MAX), item(1, i32::MAX)]);
        assert_eq!(most, Ok(vec![line(1, 2 * i64::from(i32::MAX))]));
        for impossible in [&[][..], &[item(1, 0)], &[item(1, -1), item(1, 5)]] {
            assert_eq!(lines(impossible), Err(ImpossibleItems));
        }
    }
}
