//! How much one buyer may keep from the others without having paid for it.

use std::collections::BTreeMap;

use contracts::ProductId;

use super::Line;

/// The limits of every buyer; 0 for no limit.
#[derive(Debug, Clone, Copy, Default)]
pub struct HoldLimits {
    /// How many orders may be unpaid at a time.
    pub orders: u32,
    /// Units of one product in unpaid orders.
    pub units_of_product: u32,
    /// Units in unpaid orders, of all products together.
    pub units: u32,
}

/// A limit that one more order would exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverLimit {
    /// This many unpaid orders are the limit.
    Orders(u32),
    /// So many units of this product.
    UnitsOfProduct(ProductId, u32),
    /// This many units in all unpaid orders are the limit.
    Units(u32),
}

impl HoldLimits {
    pub const fn are_off(&self) -> bool {
        self.orders == 0 && self.units_of_product == 0 && self.units == 0
    }

    /// Checks the number of unpaid orders with one more.
    pub fn check_orders(&self, open: i64) -> Result<(), OverLimit> {
        if exceeds(open + 1, self.orders) { Err(OverLimit::Orders(self.orders)) } else { Ok(()) }
    }

    /// Checks the units in unpaid orders together with those of one more.
    pub fn check_units(&self, mut held: BTreeMap<ProductId, i64>, lines: &[Line]) -> Result<(), OverLimit> {
        for line in lines {
            let units = held.entry(line.product_id).or_default();
            *units += i64::from(line.quantity);
            if exceeds(*units, self.units_of_product) {
                return Err(OverLimit::UnitsOfProduct(line.product_id, self.units_of_product));
            }
        }
        let all = held.values().sum();
        if exceeds(all, self.units) { Err(OverLimit::Units(self.units)) } else { Ok(()) }
    }
}

fn exceeds(count: i64, limit: u32) -> bool {
    limit > 0 && count > i64::from(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(id: i64) -> ProductId {
        id.try_into().unwrap()
    }

    fn lines(lines: &[(i64, i32)]) -> Vec<Line> {
        let line = |&(product, quantity): &(i64, i32)| {
            let name = "Kopi".to_owned();
            Line { product_id: id(product), name, price: 5, quantity }
        };
        lines.iter().map(line).collect()
    }

    #[test]
    fn a_limit_itself_is_allowed_and_nothing_beyond() {
        let limits = HoldLimits { orders: 2, units_of_product: 10, units: 15 };
        assert_eq!((limits.check_orders(1), limits.check_orders(2)), (Ok(()), Err(OverLimit::Orders(2))));
        let held = || BTreeMap::from([(id(1), 8)]);
        assert_eq!(limits.check_units(held(), &lines(&[(1, 2), (2, 5)])), Ok(()));
        let of_one = Err(OverLimit::UnitsOfProduct(id(1), 10));
        assert_eq!(limits.check_units(held(), &lines(&[(2, 1), (1, 3)])), of_one);
        assert_eq!(limits.check_units(held(), &lines(&[(1, 2), (2, 6)])), Err(OverLimit::Units(15)));
    }

    #[test]
    fn zero_is_no_limit() {
        let none = HoldLimits::default();
        assert_eq!(none.check_orders(1_000_000), Ok(()));
        assert_eq!(none.check_units(BTreeMap::from([(id(1), 1_000_000)]), &lines(&[(1, 1_000)])), Ok(()));
    }
}
