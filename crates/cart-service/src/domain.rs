//! What a cart is, and what it costs today. Pure: no IO.

use std::collections::HashMap;

use contracts::{ProductId, UserId};

/// The most units of one product in a cart, and in one request.
pub const MAX_QUANTITY: i32 = 1000;
/// The most products in a cart.
pub const MAX_LINES: usize = 100;

/// What was last known of a product: shown while product-service is down, and of a product that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its name.
    pub name: String,
    /// Its price in rupiah.
    pub price: i64,
    /// Its free units.
    pub stock: i64,
}

/// A product in a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The product.
    pub product_id: ProductId,
    /// Units.
    pub quantity: i32,
    /// The price when it was added, in rupiah.
    pub price_added: i64,
    /// When it was added: microseconds since 1970 by Redis' clock.
    pub added_at: i64,
    /// What was last known of the product.
    pub known: Known,
}

/// What product-service said just now of the products it was asked about: `None` for one that is gone. A product that
/// is not here was not asked about, or product-service did not answer.
pub type Today = HashMap<ProductId, Option<Known>>;

/// A line with what it costs today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricedLine {
    /// The product.
    pub product_id: ProductId,
    /// Its name.
    pub name: String,
    /// Its price in rupiah.
    pub price: i64,
    /// Units.
    pub quantity: i32,
    /// Whether so many can be bought.
    pub available: bool,
    /// Whether the price is another than when it was added.
    pub price_changed: bool,
}

/// A cart with what it costs today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricedCart {
    /// Its owner.
    pub user_id: UserId,
    /// Its lines, in the order added.
    pub lines: Vec<PricedLine>,
}

impl PricedLine {
    /// What the line costs, in rupiah.
    pub fn subtotal(&self) -> i64 {
        self.price.saturating_mul(self.quantity.into())
    }
}

impl PricedCart {
    /// All units.
    pub fn total_quantity(&self) -> i64 {
        self.lines.iter().map(|line| i64::from(line.quantity)).sum()
    }

    /// What the cart costs, in rupiah.
    pub fn total_amount(&self) -> i64 {
        self.lines.iter().map(PricedLine::subtotal).fold(0, i64::saturating_add)
    }
}

impl Line {
    /// What the line costs today, as far as that is known.
    pub fn priced(&self, today: &Today) -> PricedLine {
        let (known, on_sale) = match today.get(&self.product_id) {
            Some(Some(now)) => (now, true),
            Some(None) => (&self.known, false),
            None => (&self.known, true),
        };
        PricedLine {
            product_id: self.product_id,
            name: known.name.clone(),
            price: known.price,
            quantity: self.quantity,
            available: on_sale && self.fits(known),
            price_changed: known.price != self.price_added,
        }
    }

    /// What is worth keeping of today's answer: another name or price, or a stock that says something else about this
    /// line. A product that sells well would otherwise have every cart written at every look.
    pub fn news(&self, today: &Today) -> Option<Known> {
        let now = today.get(&self.product_id)?.as_ref()?;
        let told = now.name != self.known.name || now.price != self.known.price;
        (told || self.fits(now) != self.fits(&self.known)).then(|| now.clone())
    }

    fn fits(&self, known: &Known) -> bool {
        known.stock >= self.quantity.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(price: i64, stock: i64) -> Known {
        Known { name: "Keyboard".to_owned(), price, stock }
    }

    fn line() -> Line {
        let product_id = ProductId::try_from(3_i64).unwrap();
        Line { product_id, quantity: 2, price_added: 100, added_at: 0, known: known(100, 5) }
    }

    fn said(answer: Option<Known>) -> Today {
        Today::from([(line().product_id, answer)])
    }

    #[test]
    fn todays_price_and_stock_count() {
        let priced = line().priced(&said(Some(known(120, 1))));
        assert_eq!((priced.price, priced.price_changed, priced.available), (120, true, false));
        let priced = line().priced(&said(Some(known(100, 2))));
        assert_eq!((priced.price, priced.price_changed, priced.available), (100, false, true));
    }

    #[test]
    fn without_an_answer_the_last_known_counts() {
        let priced = line().priced(&Today::new());
        assert_eq!((priced.price, priced.price_changed, priced.available), (100, false, true));
    }

    #[test]
    fn a_product_that_is_gone_keeps_its_line_but_cannot_be_bought() {
        let priced = line().priced(&said(None));
        assert_eq!((priced.name.as_str(), priced.price, priced.available), ("Keyboard", 100, false));
    }

    #[test]
    fn only_what_changes_the_line_is_news() {
        assert_eq!(line().news(&Today::new()), None);
        assert_eq!(line().news(&said(None)), None);
        assert_eq!(line().news(&said(Some(known(100, 2)))), None, "still enough");
        assert_eq!(line().news(&said(Some(known(100, 1)))), Some(known(100, 1)), "no longer enough");
        assert_eq!(line().news(&said(Some(known(120, 5)))), Some(known(120, 5)));
    }

    #[test]
    fn totals_are_sums_over_the_lines() {
        let lines = vec![line().priced(&Today::new()), line().priced(&said(Some(known(50, 9))))];
        let cart = PricedCart { user_id: UserId::try_from(7_i64).unwrap(), lines };
        assert_eq!((cart.total_quantity(), cart.total_amount()), (4, 300));
    }
}
