//! What is bought, at which price: the cart decides the quantities, the catalogue of this moment names and prices.

use std::collections::BTreeMap;

use contracts::ProductId;
use time::OffsetDateTime;

/// The highest total of an order, in rupiah.
const MAX_TOTAL: i64 = 9_000_000_000_000_000;

/// A line of a cart, without its name and price: an order takes those from the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CartLine {
    pub product_id: ProductId,
    pub quantity: i32,
}

/// A cart, or the lines of it that were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cart {
    pub lines: Vec<CartLine>,
    /// When it was read, by cart-service's clock. An older cart-service does not say.
    pub read_at: Option<OffsetDateTime>,
}

/// What is ordered of a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basket {
    pub lines: Vec<Line>,
    /// What they cost together, in rupiah.
    pub total: i64,
    /// By cart-service's clock; what is added to the cart later stays in it when the order is paid.
    pub read_at: Option<OffsetDateTime>,
}

/// A product that can be bought at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnSale {
    pub name: String,
    /// What one unit costs, in whole rupiah.
    pub price: i64,
}

/// A line of an order that is about to be placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub product_id: ProductId,
    /// As it is called at this moment: a later change does not reach the order.
    pub name: String,
    /// Its price at this moment, in rupiah.
    pub price: i64,
    pub quantity: i32,
}

/// Why a cart cannot be ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unorderable {
    Empty,
    /// These products are not on sale any more.
    Gone(Vec<ProductId>),
    /// It costs more than an order may.
    TotalTooLarge,
    /// It costs something else than the buyer expects.
    PriceChanged {
        /// What the buyer believes it costs, in whole rupiah.
        expected: i64,
        /// What it costs at this moment, in whole rupiah.
        total: i64,
    },
}

/// Prices a cart. Returns its lines and what they cost together. The stock is not checked
/// here: the hold decides about it.
pub fn price_lines(
    cart: &[CartLine],
    mut catalogue: BTreeMap<ProductId, OnSale>,
    expected: Option<i64>,
) -> Result<(Vec<Line>, i64), Unorderable> {
    let gone: Vec<ProductId> =
        cart.iter().map(|line| line.product_id).filter(|id| !catalogue.contains_key(id)).collect();
    if !gone.is_empty() {
        return Err(Unorderable::Gone(gone));
    }
    let line = |line: &CartLine| {
        let OnSale { name, price } = catalogue.remove(&line.product_id)?;
        Some(Line { product_id: line.product_id, name, price, quantity: line.quantity })
    };
    let lines: Vec<Line> = cart.iter().filter_map(line).collect();
    if lines.is_empty() {
        return Err(Unorderable::Empty);
    }
    let total = total(&lines).ok_or(Unorderable::TotalTooLarge)?;
    match expected {
        Some(expected) if expected != total => Err(Unorderable::PriceChanged { expected, total }),
        _ => Ok((lines, total)),
    }
}

fn total(lines: &[Line]) -> Option<i64> {
    let cost = |line: &Line| line.price.checked_mul(line.quantity.into());
    let sum = lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(cost(line)?))?;
    (sum <= MAX_TOTAL).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(id: i64) -> ProductId {
        ProductId::try_from(id).unwrap()
    }

    fn catalogue(prices: &[(i64, i64)]) -> BTreeMap<ProductId, OnSale> {
        let product =
            |&(product, price): &(i64, i64)| (id(product), OnSale { name: format!("p{product}"), price });
        prices.iter().map(product).collect()
    }

    fn cart(lines: &[(i64, i32)]) -> Vec<CartLine> {
        lines.iter().map(|&(product, quantity)| CartLine { product_id: id(product), quantity }).collect()
    }

    #[test]
    fn a_cart_costs_what_its_lines_cost_together() {
        let (lines, total) =
            price_lines(&cart(&[(2, 3), (1, 1)]), catalogue(&[(1, 500), (2, 1_000)]), None).unwrap();
        assert_eq!(total, 3_500);
        assert_eq!(
            lines.iter().map(|line| line.name.as_str()).collect::<Vec<_>>(),
            ["p2", "p1"],
            "the cart's order"
        );
    }

    #[test]
    fn a_cart_is_refused_for_what_is_missing_too_expensive_or_unexpected() {
        let refused = |lines: &[(i64, i32)], prices: &[(i64, i64)], expected| {
            price_lines(&cart(lines), catalogue(prices), expected).unwrap_err()
        };
        assert_eq!(refused(&[], &[], None), Unorderable::Empty);
        assert_eq!(refused(&[(1, 1), (2, 1)], &[(1, 5)], None), Unorderable::Gone(vec![id(2)]));
        let expensive = 1_000_000_000_000;
        let lines: Vec<(i64, i32)> = (1..=10).map(|product| (product, 1_000)).collect();
        let prices: Vec<(i64, i64)> = (1..=10).map(|product| (product, expensive)).collect();
        assert_eq!(refused(&lines, &prices, None), Unorderable::TotalTooLarge);
        assert!(
            price_lines(&cart(&lines[..9]), catalogue(&prices), None).is_ok(),
            "the limit itself is allowed"
        );
        assert_eq!(
            refused(&[(1, 2)], &[(1, 5)], Some(9)),
            Unorderable::PriceChanged { expected: 9, total: 10 }
        );
    }
}
