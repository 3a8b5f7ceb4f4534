//! What everybody reads of the catalogue, kept in memory. Nothing is decided by it: holds, prices of orders and
//! administrators read the rows.
//!
//! A change that this process commits invalidates what it concerns before anybody learns of the commit. What other
//! processes commit is seen within `MAX_AGE`, because nothing is kept for longer: whatever dies or is cut off. What an
//! administrator changes is broadcast too, and so seen elsewhere at once as a rule.
//!
//! A hold changes one number of a product, and holds are many: so products are kept apart from the pages that show them,
//! and a page is put together from them each time.

mod memo;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chassis::loader::{Loader, Source};
use contracts::ProductId;
use sqlx::PgPool;

use crate::{
    domain::catalogue::{Filter, Search, SortBy},
    store,
    view::{CategoryView, ProductView, Rendered},
};
use memo::Memo;

/// How far behind other processes this one may be.
const MAX_AGE: Duration = Duration::from_secs(1);
/// How long the total of a search is kept that the database has to count row by row.
const COUNT_MAX_AGE: Duration = Duration::from_secs(5);
/// The bytes that products may take: some ten thousand of the usual length.
const PRODUCT_BYTES: u64 = 16 << 20;
/// The bytes that pages may take, and as many again their totals.
const PAGE_BYTES: u64 = 4 << 20;

/// Everybody who waited for a reading gets its error.
pub type ReadError = Arc<sqlx::Error>;

pub struct CatalogueCache {
    db: PgPool,
    products: Loader<Products>,
    /// Which products a page shows, in order.
    pages: Memo<PageKey, Arc<[ProductId]>, ReadError>,
    totals: Memo<(u64, Filter), i64, ReadError>,
    categories: Memo<u64, Rendered, ReadError>,
    /// Counts the changes of anything but stock. It is part of a key, so that what was read before a change is not found
    /// after it.
    catalogue_version: AtomicU64,
    /// Counts the changes of stock: only what is sorted by stock depends on it.
    stock_version: AtomicU64,
}

/// A page of the catalogue as it was at a version.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct PageKey {
    version: u64,
    search: Search,
    limit: i64,
    offset: i64,
}

struct Products {
    db: PgPool,
}

impl Source for Products {
    type Key = ProductId;
    type Value = Rendered;
    type Error = ReadError;

    async fn load(&self, ids: Vec<ProductId>) -> Result<HashMap<ProductId, Rendered>, ReadError> {
        let mut db = self.db.acquire().await?;
        let products = store::list_products(&mut db, &ids).await?;
        let rendered =
            products.into_iter().map(|product| Ok((product.id, rendered(ProductView::from(product))?)));
        rendered.collect()
    }

    fn weight(product: &Rendered) -> usize {
        product.size()
    }
}

fn text(filter: &Filter) -> usize {
    filter.text.as_ref().map_or(0, String::len)
}

fn rendered(view: impl serde::Serialize) -> Result<Rendered, ReadError> {
    Rendered::of(&view).map_err(|error| sqlx::Error::Encode(error.into()).into())
}

impl CatalogueCache {
    pub fn new(db: PgPool) -> Self {
        Self {
            products: Loader::new(Products { db: db.clone() }, MAX_AGE, PRODUCT_BYTES),
            pages: Memo::new(PAGE_BYTES, |key, ids| text(&key.search.filter) + size_of_val(&**ids)),
            totals: Memo::new(PAGE_BYTES, |(_, filter), _| text(filter)),
            categories: Memo::new(PAGE_BYTES, |_, categories| categories.size()),
            catalogue_version: AtomicU64::new(0),
            stock_version: AtomicU64::new(0),
            db,
        }
    }

    /// A product, if it is on sale, as JSON that is at most a second old.
    pub async fn product(&self, id: ProductId) -> Result<Option<Rendered>, ReadError> {
        Ok(self.products.get(&[id]).await?.pop().flatten())
    }

    /// A page of what a search finds, and how much it finds in all.
    pub async fn page(
        &self,
        search: Search,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<Rendered>, i64), ReadError> {
        let total = self.total(search.filter.clone()).await?;
        let ids = self.page_ids(search, total, limit, offset).await?;
        Ok((self.products.get(&ids).await?.into_iter().flatten().collect(), total))
    }

    /// All categories by name, as JSON that is at most a second old.
    pub async fn categories(&self) -> Result<Rendered, ReadError> {
        self.categories.get(&self.version(), MAX_AGE, self.read_categories()).await
    }

    /// The same as they are now.
    pub async fn read_categories(&self) -> Result<Rendered, ReadError> {
        let categories = store::list_categories(&mut *self.db.acquire().await?).await?;
        rendered(categories.into_iter().map(CategoryView::from).collect::<Vec<_>>())
    }

    /// Products came, went or are others than before. Without any of them, all may be: as if a category has another name,
    /// which all its products show.
    pub fn changed(&self, ids: &[ProductId]) {
        match ids {
            [] => self.products.invalidate_all(),
            ids => self.products.invalidate(ids.iter().copied()),
        }
        self.catalogue_version.fetch_add(1, Ordering::SeqCst);
    }

    /// Only the stock of products is another.
    pub fn stock_changed(&self, ids: impl IntoIterator<Item = ProductId>) {
        self.products.invalidate(ids);
        self.stock_version.fetch_add(1, Ordering::SeqCst);
    }

    async fn page_ids(
        &self,
        search: Search,
        total: i64,
        limit: i64,
        offset: i64,
    ) -> Result<Arc<[ProductId]>, ReadError> {
        let by_stock = search.sort_by == SortBy::Stock;
        let version = self.version() + if by_stock { self.stock_version.load(Ordering::SeqCst) } else { 0 };
        let key = PageKey { version, search, limit, offset };
        let read = async {
            let mut db = self.db.acquire().await?;
            Ok(store::list_product_ids(&mut db, &key.search, total, limit, offset).await?.into())
        };
        self.pages.get(&key, MAX_AGE, read).await
    }

    async fn total(&self, filter: Filter) -> Result<i64, ReadError> {
        let max_age = if filter.is_counted() { COUNT_MAX_AGE } else { MAX_AGE };
        let key = (self.version(), filter);
        let read = async { Ok(store::count_products(&mut *self.db.acquire().await?, &key.1).await?) };
        self.totals.get(&key, max_age, read).await
    }

    fn version(&self) -> u64 {
        self.catalogue_version.load(Ordering::SeqCst)
    }
}
