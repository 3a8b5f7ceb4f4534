//! Products, categories, and how the catalogue is searched.

use contracts::{CategoryId, ProductId};
use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use serde::Deserialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

/// The most units of a product that an administrator can have in stock.
pub const MAX_STOCK: i64 = 1_000_000_000;

#[derive(Debug, Clone)]
pub struct Product {
    pub id: ProductId,
    /// What it is called; nothing else on sale is, whatever the case.
    pub name: String,
    /// What there is to say about it.
    pub description: String,
    /// What one unit costs, in whole rupiah.
    pub price: i64,
    /// Units that nobody holds.
    pub stock: i64,
    /// Units kept for open orders, if that was asked for.
    pub held: Option<i64>,
    /// What it belongs to, by name.
    pub categories: Vec<CategoryRef>,
    /// When it came into the catalogue.
    pub created_at: OffsetDateTime,
    /// When an administrator changed it last.
    pub updated_at: OffsetDateTime,
}

/// A category as its products name it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CategoryRef {
    pub id: CategoryId,
    pub name: String,
}

/// A category as the list of categories shows it.
#[derive(Debug, Clone)]
pub struct Category {
    pub id: CategoryId,
    /// What it is called; no other is, whatever the case.
    pub name: String,
    /// How many products on sale belong to it.
    pub product_count: i64,
    pub created_at: OffsetDateTime,
    /// When an administrator renamed it last.
    pub updated_at: OffsetDateTime,
}

/// A product as other services see it, also one that was taken off sale.
#[derive(Debug, Clone)]
pub struct ProductSummary {
    pub id: ProductId,
    /// What it is, or was, called.
    pub name: String,
    /// What one unit costs, in whole rupiah.
    pub price: i64,
    /// Units that nobody holds.
    pub stock: i64,
    pub deleted: bool,
}

/// What products can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SortBy {
    /// When they came into the catalogue.
    CreatedAt,
    /// Their price.
    Price,
    /// Their name, whatever the case.
    Name,
    /// Their free units.
    Stock,
}

/// Which way a list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// The least first.
    Asc,
    /// The greatest first.
    Desc,
}

impl SortBy {
    /// The default for each column: newest first, and otherwise cheapest, A, or scarcest first.
    pub const fn natural(self) -> Direction {
        match self {
            Self::CreatedAt => Direction::Desc,
            Self::Price | Self::Name | Self::Stock => Direction::Asc,
        }
    }
}

/// Which products a list shows, and in which order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Search {
    pub filter: Filter,
    pub sort_by: SortBy,
    pub direction: Direction,
}

/// Which products a list shows; all that are on sale if nothing narrows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// A part of the name, whatever the case.
    pub text: Option<String>,
    pub category_id: Option<CategoryId>,
    /// The lowest price that is listed, in whole rupiah.
    pub min_price: Option<i64>,
    /// The highest price that is listed, in whole rupiah.
    pub max_price: Option<i64>,
}

impl Filter {
    /// Whether the database has to count row by row how many products there are.
    pub const fn is_counted(&self) -> bool {
        self.text.is_some() || self.min_price.is_some() || self.max_price.is_some()
    }

    /// The pairs of neighbouring characters in the text, or its only one: what SQL's `name_grams` has of names with it.
    pub fn grams(&self) -> Vec<String> {
        let text: Vec<char> = name_key(self.text.as_deref().unwrap_or_default()).chars().collect();
        text.windows(text.len().clamp(1, 2)).map(|gram| gram.iter().collect()).collect()
    }

    /// The text as a pattern for SQL's `like` over names without case: its characters are literal.
    pub fn pattern(&self) -> Option<String> {
        let text = self.text.as_deref()?;
        let escaped = name_key(text).replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
        Some(format!("%{escaped}%"))
    }
}

/// From how many products on a search finds many: a page of them is met sooner by walking through all products in its order
/// than by sorting them.
pub const MANY: i64 = 10_000;

/// The rule that [`name_key`] follows; another number for another rule, so that stored keys are made anew. 0 was lower
/// case.
pub const NAME_KEY_RULE: i16 = 1;

/// A name by which names are compared, searched and sorted, whatever their case: two names have the same key if they
/// match canonically and caselessly (Unicode, definition D145), and a letter's key does not depend on its neighbours. It
/// is made here because what a database folds depends on its locale.
pub fn name_key(name: &str) -> String {
    let decomposed = DecomposingNormalizerBorrowed::new_nfd().normalize(name);
    let folded = CaseMapper::new().fold_string(&decomposed);
    ComposingNormalizerBorrowed::new_nfc().normalize(&folded).into_owned()
}

/// Why a stock cannot be changed so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StockOutOfRange {
    /// There are fewer free units than that.
    #[error("only {0} units are free")]
    BelowZero(i64),
    /// There would be more than [`MAX_STOCK`].
    #[error("there are {0} units already, and there can be {MAX_STOCK} at most")]
    AboveMaximum(i64),
}

/// A stock after units were added or, if `add` is negative, taken away.
///
/// # Errors
/// If less than nothing or more than [`MAX_STOCK`] would be left.
pub fn changed_stock(stock: i64, add: i64) -> Result<i64, StockOutOfRange> {
    match stock.checked_add(add) {
        Some(changed) if changed < 0 => Err(StockOutOfRange::BelowZero(stock)),
        Some(changed) if changed <= MAX_STOCK || add <= 0 => Ok(changed),
        _ => Err(StockOutOfRange::AboveMaximum(stock)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_means_its_wildcards_literally() {
        let search = |text: &str| {
            let filter = Filter { text: Some(text.to_owned()), ..Filter::default() };
            filter.pattern().unwrap()
        };
        assert_eq!(search("Kopi"), "%kopi%");
        assert_eq!(search(r"100%_\"), r"%100\%\_\\%");
        assert_eq!(search("CAFÉ"), "%café%");
    }

    #[test]
    fn a_text_has_the_grams_of_its_key() {
        let grams = |text: &str| Filter { text: Some(text.to_owned()), ..Filter::default() }.grams();
        assert_eq!(grams("CAFÉ"), ["ca", "af", "fé"]);
        assert_eq!(grams("K"), ["k"]);
        assert_eq!(Filter::default().grams(), Vec::<String>::new());
    }

    #[test]
    fn names_are_the_same_whatever_their_case_and_composition() {
        for (one, other) in [
            ("KOPI", "kopi"),
            ("ΟΔΟΣ", "οδος"),
            ("οδοσ", "οδος"),
            ("Straße", "STRASSE"),
            ("ẞ", "ss"),
            ("Café", "CAFE\u{301}"),
            ("\u{212b}", "å"),
            ("ǅ", "ǆ"),
        ] {
            assert_eq!(name_key(one), name_key(other), "{one} and {other}");
        }
        for (one, other) in [("Café", "Cafe"), ("İstanbul", "istanbul"), ("ﬁ", "fj")] {
            assert_ne!(name_key(one), name_key(other), "{one} and {other}");
        }
        assert!(name_key("ΟΔΟΣΚΟΠΙΑ").starts_with(&name_key("ΟΔΟΣ")));
        assert_eq!(name_key("Kopi Gayo 250 g"), "kopi gayo 250 g");
    }

    #[test]
    fn a_stock_stays_between_nothing_and_the_maximum() {
        assert_eq!(changed_stock(5, -5), Ok(0));
        assert_eq!(changed_stock(5, -6), Err(StockOutOfRange::BelowZero(5)));
        assert_eq!(changed_stock(0, MAX_STOCK), Ok(MAX_STOCK));
        assert_eq!(changed_stock(1, MAX_STOCK), Err(StockOutOfRange::AboveMaximum(1)));
        assert_eq!(changed_stock(i64::MAX, 1), Err(StockOutOfRange::AboveMaximum(i64::MAX)));
        assert_eq!(changed_stock(MAX_STOCK + 9, -1), Ok(MAX_STOCK + 8), "returned goods can exceed it");
    }
}
