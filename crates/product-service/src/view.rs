//! What readers of the catalogue get, and how it is rendered once for many of them.

use std::sync::Arc;

use contracts::{CategoryId, ProductId};
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::domain::catalogue::{Category, CategoryRef, Product};

/// A product that is on sale, as anybody sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProductView {
    /// The number under which carts and orders name it.
    #[schema(example = 8)]
    id: ProductId,
    /// What it is called, up to 200 characters.
    #[schema(min_length = 1, max_length = 200, example = "Gayo Arabica Coffee 250 g")]
    name: String,
    /// What there is to say about it.
    #[schema(max_length = 5000, example = "Single origin, medium roast, whole beans.")]
    description: String,
    /// What one unit costs, in whole rupiah.
    #[schema(minimum = 1, maximum = 1_000_000_000_000_i64, example = 95_000)]
    price: i64,
    /// Free units: those held for open orders are already out.
    #[schema(minimum = 0, maximum = 9_223_372_036_854_775_807_i64, example = 200)]
    stock: i64,
    /// Units held for open orders; for administrators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 9_223_372_036_854_775_807_i64, example = 0)]
    held: Option<i64>,
    /// What it belongs to, by name.
    #[schema(max_items = 100)]
    categories: Vec<CategoryRefView>,
    /// When it was put on sale.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(example = "2026-01-02T03:04:05Z")]
    created_at: OffsetDateTime,
    /// When an administrator changed it last.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(example = "2026-01-02T03:04:05Z")]
    updated_at: OffsetDateTime,
}

/// A category that a product belongs to.
#[derive(Debug, Serialize, ToSchema)]
pub struct CategoryRefView {
    /// The number of the category.
    #[schema(example = 4)]
    id: CategoryId,
    /// What the category is called; no two have the same name.
    #[schema(min_length = 1, max_length = 100, example = "Home & Kitchen")]
    name: String,
}

/// A category of the shop, as anybody sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct CategoryView {
    /// The number under which products and filters name it.
    #[schema(example = 5)]
    id: CategoryId,
    /// What it is called; no two categories have the same name.
    #[schema(min_length = 1, max_length = 100, example = "Garden")]
    name: String,
    /// How many products on sale belong to it.
    #[schema(minimum = 0, maximum = 9_223_372_036_854_775_807_i64, example = 0)]
    product_count: i64,
    /// When the category was made, by the database's clock.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(example = "2026-01-02T03:04:05Z")]
    created_at: OffsetDateTime,
    /// When an administrator renamed it last.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(example = "2026-01-02T03:04:05Z")]
    updated_at: OffsetDateTime,
}

/// JSON that is ready to be sent as it is or as a part of other JSON. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Rendered(Arc<RawValue>);

impl Rendered {
    pub fn of(value: &impl Serialize) -> serde_json::Result<Self> {
        Ok(Self(to_raw_value(value)?.into()))
    }

    /// Its length in bytes: what it takes of the cache's bound.
    pub fn size(&self) -> usize {
        self.0.get().len()
    }
}

impl Serialize for Rendered {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().serialize(serializer)
    }
}

impl From<Product> for ProductView {
    fn from(product: Product) -> Self {
        Self {
            id: product.id,
            name: product.name,
            description: product.description,
            price: product.price,
            stock: product.stock,
            held: product.held,
            categories: product.categories.into_iter().map(CategoryRefView::from).collect(),
            created_at: product.created_at,
            updated_at: product.updated_at,
        }
    }
}

impl From<CategoryRef> for CategoryRefView {
    fn from(category: CategoryRef) -> Self {
        Self { id: category.id, name: category.name }
    }
}

impl From<Category> for CategoryView {
    fn from(category: Category) -> Self {
        let Category { id, name, product_count, created_at, updated_at } = category;
        Self { id, name, product_count, created_at, updated_at }
    }
}
