//! The services that this one asks.

use chassis::grpc::Peer;
use contracts::{
    ProductId,
    grpc::product::{GetProductsRequest, ProductResponse, product_service_client::ProductServiceClient},
};
use tonic::Status;

use crate::domain::{Known, Today};

/// product-service, asked for names, prices and stock.
#[derive(Debug, Clone)]
pub struct Products {
    peer: Peer,
}

impl Products {
    /// Asks through this peer.
    pub fn new(peer: Peer) -> Self {
        Self { peer }
    }

    /// What is known of these products now, in one call.
    ///
    /// # Errors
    /// If product-service does not answer in time.
    pub async fn today(&self, ids: impl IntoIterator<Item = ProductId>) -> Result<Today, Status> {
        let mut today: Today = ids.into_iter().map(|id| (id, None)).collect();
        if today.is_empty() {
            return Ok(today);
        }
        let ids = today.keys().map(|id| id.to_u64()).collect();
        let mut client = ProductServiceClient::new(self.peer.channel());
        let answer = client.get_products(GetProductsRequest { ids }).await?;
        for product in answer.into_inner().products {
            if let Some((id, known)) = on_sale(product) {
                today.insert(id, Some(known));
            }
        }
        Ok(today)
    }
}

/// A product that can be bought.
fn on_sale(product: ProductResponse) -> Option<(ProductId, Known)> {
    let id = ProductId::try_from(product.id).ok()?;
    let price = i64::try_from(product.price).ok()?;
    let known = Known { name: product.name, price, stock: product.stock };
    (!product.deleted).then_some((id, known))
}
