//! What a cart is, and what it costs today. Pure: no IO.

use std::collections::HashMap;

use contracts::{ProductId, UserId};

/// The most units of one product in a cart, and in one request.
pub const MAX_QUANTITY: i32 = 1000;
/// The most products in a cart.
pub const MAX_LINES: usize = 100;

/// A product as product-service last described it: shown while that is down, and of a product that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedProduct {
    pub name: String,
    /// What one unit costs, in whole rupiah.
    pub price: i64,
    /// Units that nobody holds.
    pub stock: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub product_id: ProductId,
    /// 1 to [`MAX_QUANTITY`].
    pub quantity: i32,
    /// The price when it was added, in rupiah.
    pub price_added: i64,
    /// When it was added: microseconds since 1970 by Redis' clock.
    pub added_at: i64,
    pub cached: CachedProduct,
}

/// The answer of product-service, for each product that was asked for: `None` is one that is gone. A product that
/// is not here was not asked for, or product-service did not answer.
pub type CatalogueSnapshot = HashMap<ProductId, Option<CachedProduct>>;

/// A line with what it costs today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricedLine {
    pub product_id: ProductId,
    pub name: String,
    /// What one unit costs, in whole rupiah.
    pub price: i64,
    pub quantity: i32,
    /// Whether so many can be bought.
    pub available: bool,
    /// Whether the price is another than when it was added.
    pub price_changed: bool,
}

/// A cart with what it costs today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricedCart {
    pub user_id: UserId,
    /// The lines in the order in which they were added.
    pub lines: Vec<PricedLine>,
}

impl PricedLine {
    /// What the line costs, in rupiah.
    pub fn subtotal(&self) -> i64 {
        self.price.saturating_mul(self.quantity.into())
    }
}

impl PricedCart {
    pub fn total_quantity(&self) -> i64 {
        self.lines.iter().map(|line| i64::from(line.quantity)).sum()
    }

    /// What the cart costs, in rupiah.
    pub fn total_amount(&self) -> i64 {
        self.lines.iter().map(PricedLine::subtotal).fold(0, i64::saturating_add)
    }
}

impl Line {
    /// The line with the present price, or the cached one if there is no answer.
    pub fn priced(&self, snapshot: &CatalogueSnapshot) -> PricedLine {
        let (product, on_sale) = match snapshot.get(&self.product_id) {
            Some(Some(now)) => (now, true),
            Some(None) => (&self.cached, false),
            None => (&self.cached, true),
        };
        PricedLine {
            product_id: self.product_id,
            name: product.name.clone(),
            price: product.price,
            quantity: self.quantity,
            available: on_sale && self.fits(product),
            price_changed: product.price != self.price_added,
        }
    }

    /// The product if it is worth caching anew: another name or price, or a stock that changes whether this line can be
    /// bought. A product that sells well would otherwise have every cart written at every look.
    pub fn changed_product(&self, snapshot: &CatalogueSnapshot) -> Option<CachedProduct> {
        let now = snapshot.get(&self.product_id)?.as_ref()?;
        let renamed_or_repriced = now.name != self.cached.name || now.price != self.cached.price;
        (renamed_or_repriced || self.fits(now) != self.fits(&self.cached)).then(|| now.clone())
    }

    fn fits(&self, product: &CachedProduct) -> bool {
        product.stock >= self.quantity.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(price: i64, stock: i64) -> CachedProduct {
        CachedProduct { name: "Keyboard".to_owned(), price, stock }
    }

    fn line() -> Line {
        let product_id = ProductId::try_from(3_i64).unwrap();
        Line { product_id, quantity: 2, price_added: 100, added_at: 0, cached: product(100, 5) }
    }

    fn answered(answer: Option<CachedProduct>) -> CatalogueSnapshot {
        CatalogueSnapshot::from([(line().product_id, answer)])
    }

    #[test]
    fn todays_price_and_stock_count() {
        let priced = line().priced(&answered(Some(product(120, 1))));
        assert_eq!((priced.price, priced.price_changed, priced.available), (120, true, false));
        let priced = line().priced(&answered(Some(product(100, 2))));
        assert_eq!((priced.price, priced.price_changed, priced.available), (100, false, true));
    }

    #[test]
    fn without_an_answer_the_cached_product_counts() {
        let priced = line().priced(&CatalogueSnapshot::new());
        assert_eq!((priced.price, priced.price_changed, priced.available), (100, false, true));
    }

    #[test]
    fn a_product_that_is_gone_keeps_its_line_but_cannot_be_bought() {
        let priced = line().priced(&answered(None));
        assert_eq!((priced.name.as_str(), priced.price, priced.available), ("Keyboard", 100, false));
    }

    #[test]
    fn only_what_changes_the_line_is_cached_anew() {
        assert_eq!(line().changed_product(&CatalogueSnapshot::new()), None);
        assert_eq!(line().changed_product(&answered(None)), None);
        assert_eq!(line().changed_product(&answered(Some(product(100, 2)))), None, "still enough");
        assert_eq!(
            line().changed_product(&answered(Some(product(100, 1)))),
            Some(product(100, 1)),
            "no longer enough"
        );
        assert_eq!(line().changed_product(&answered(Some(product(120, 5)))), Some(product(120, 5)));
    }

    #[test]
    fn totals_are_sums_over_the_lines() {
        let lines =
            vec![line().priced(&CatalogueSnapshot::new()), line().priced(&answered(Some(product(50, 9))))];
        let cart = PricedCart { user_id: UserId::try_from(7_i64).unwrap(), lines };
        assert_eq!((cart.total_quantity(), cart.total_amount()), (4, 300));
    }
}
