//! The services that this one calls.

use chassis::grpc::Peer;
use contracts::{
    ProductId,
    grpc::product::{GetProductsRequest, ProductResponse, product_service_client::ProductServiceClient},
};
use tonic::Status;

use crate::domain::{CachedProduct, CatalogueSnapshot};

#[derive(Debug, Clone)]
pub struct Products {
    peer: Peer,
}

impl Products {
    pub fn new(peer: Peer) -> Self {
        Self { peer }
    }

    /// These products as they are now, in one call.
    ///
    /// # Errors
    /// If product-service does not answer in time.
    pub async fn snapshot(
        &self,
        ids: impl IntoIterator<Item = ProductId>,
    ) -> Result<CatalogueSnapshot, Status> {
        let mut snapshot: CatalogueSnapshot = ids.into_iter().map(|id| (id, None)).collect();
        if snapshot.is_empty() {
            return Ok(snapshot);
        }
        let ids = snapshot.keys().map(|id| id.to_u64()).collect();
        let mut client = ProductServiceClient::new(self.peer.channel());
        let answer = client.get_products(GetProductsRequest { ids }).await?;
        for product in answer.into_inner().products {
            if let Some((id, product)) = on_sale(product) {
                snapshot.insert(id, Some(product));
            }
        }
        Ok(snapshot)
    }
}

fn on_sale(product: ProductResponse) -> Option<(ProductId, CachedProduct)> {
    let id = ProductId::try_from(product.id).ok()?;
    let price = i64::try_from(product.price).ok()?;
    let cached = CachedProduct { name: product.name, price, stock: product.stock };
    (!product.deleted).then_some((id, cached))
}
