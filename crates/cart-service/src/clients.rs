//! The services that this one calls.

use std::{collections::HashMap, time::Duration};

use chassis::{
    grpc::Peer,
    loader::{Loader, Source},
};
use contracts::{
    ProductId,
    grpc::product::{GetProductsRequest, ProductResponse, product_service_client::ProductServiceClient},
};
use tonic::Status;

use crate::domain::{CachedProduct, CatalogueSnapshot};

/// The most products that product-service answers at once.
const MAX_IDS: usize = 1_000;
/// The bytes that products may take here: some ten thousand.
const MAX_BYTES: u64 = 4 << 20;

/// What product-service said of products lately: asked once for all carts that wait for it at the same time.
#[derive(Debug, Clone)]
pub struct Products {
    loader: Loader<Catalogue>,
}

struct Catalogue {
    peer: Peer,
}

impl Source for Catalogue {
    type Key = ProductId;
    type Value = CachedProduct;
    type Error = Status;

    async fn load(&self, ids: Vec<ProductId>) -> Result<HashMap<ProductId, CachedProduct>, Status> {
        let mut client = ProductServiceClient::new(self.peer.channel());
        let mut products = HashMap::with_capacity(ids.len());
        for ids in ids.chunks(MAX_IDS) {
            let request = GetProductsRequest { ids: ids.iter().map(|id| id.to_u64()).collect() };
            let answer = client.get_products(request).await?;
            products.extend(answer.into_inner().products.into_iter().filter_map(on_sale));
        }
        Ok(products)
    }

    fn weight(product: &CachedProduct) -> usize {
        product.name.len()
    }
}

impl Products {
    /// Answers are kept for `max_age`, so a price may be that old in a cart; an order reads it again.
    pub fn new(peer: Peer, max_age: Duration) -> Self {
        Self { loader: Loader::new(Catalogue { peer }, max_age, MAX_BYTES) }
    }

    /// A product as it is now; `None` if it is not on sale.
    ///
    /// # Errors
    /// If product-service does not answer in time.
    pub async fn now(&self, id: ProductId) -> Result<Option<CachedProduct>, Status> {
        Ok(self.loader.read(&[id]).await?.pop().flatten())
    }

    /// Products were changed; without any of them, all may have been.
    pub fn changed(&self, ids: &[ProductId]) {
        match ids {
            [] => self.loader.invalidate_all(),
            ids => self.loader.invalidate(ids.iter().copied()),
        }
    }

    /// These products as they were a moment ago.
    ///
    /// # Errors
    /// If product-service has to be asked and does not answer in time.
    pub async fn snapshot(
        &self,
        ids: impl IntoIterator<Item = ProductId>,
    ) -> Result<CatalogueSnapshot, Status> {
        let ids: Vec<ProductId> = ids.into_iter().collect();
        let products = self.loader.get(&ids).await?;
        Ok(ids.into_iter().zip(products).collect())
    }
}

fn on_sale(product: ProductResponse) -> Option<(ProductId, CachedProduct)> {
    let id = ProductId::try_from(product.id).ok()?;
    let price = i64::try_from(product.price).ok()?;
    let cached = CachedProduct { name: product.name, price, stock: product.stock };
    (!product.deleted).then_some((id, cached))
}
