//! Demo data for the first run.

use chassis::database::commit;

use crate::{
    AppState,
    app::create_product::add,
    domain::movement::Reason,
    store::{self, NewProduct},
};

/// A category and its products: name, description, price in rupiah, stock.
type DemoCategory = (&'static str, &'static [(&'static str, &'static str, i64, i64)]);

const DEMO: [DemoCategory; 4] = [
    (
        "Electronics",
        &[
            ("Wireless Mouse", "Silent clicks, one battery a year.", 185_000, 120),
            ("Mechanical Keyboard", "Tactile switches, 87 keys, hot-swappable.", 875_000, 45),
            ("Noise-cancelling Headphones", "Thirty hours of quiet on one charge.", 1_499_000, 30),
        ],
    ),
    (
        "Books",
        &[
            ("Bumi Manusia", "Pramoedya Ananta Toer, paperback.", 132_000, 80),
            ("The Rust Programming Language", "Second edition, paperback.", 640_000, 25),
        ],
    ),
    (
        "Fashion",
        &[
            ("Batik Shirt", "Hand-stamped cotton from Solo.", 349_000, 60),
            ("Canvas Sneakers", "White, vegan, sizes 36 to 45.", 425_000, 50),
        ],
    ),
    (
        "Home & Kitchen",
        &[
            ("Gayo Arabica Coffee 250 g", "Single origin, medium roast, whole beans.", 95_000, 200),
            ("Pour-over Kettle", "Gooseneck, 1 litre, stainless steel.", 389_000, 40),
            ("Rattan Basket", "Woven by hand in Cirebon.", 165_000, 35),
        ],
    ),
];

/// Fills a catalogue in which nothing was ever sold with 4 categories and 10 products. Returns whether it did.
pub async fn seed_catalogue(state: &AppState) -> sqlx::Result<bool> {
    let mut tx = state.db.begin().await?;
    if !store::lock_catalogue(&mut tx).await? {
        return Ok(false);
    }
    for (category, products) in DEMO {
        let category = store::insert_category(&mut tx, category).await?.id;
        for &(name, description, price, stock) in products {
            let product = NewProduct { name, description, price, stock };
            add(&mut tx, &product, &[category], Reason::Seed).await?;
        }
    }
    commit(tx).await?;
    Ok(true)
}
