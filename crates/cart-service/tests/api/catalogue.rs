//! A product-service of the test's own.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use contracts::grpc::product::{
    GetLatestOrderRequest, GetLatestOrderResponse, GetProductRequest, GetProductsRequest, ProductResponse,
    ProductsResponse, UpdateStockRequest, UpdateStockResponse,
    product_service_server::{ProductService, ProductServiceServer},
};
use tonic::{Request, Response, Status, service::Routes};

/// What it sells, and how it is doing. Clones are the same.
#[derive(Clone, Default)]
pub struct Catalogue {
    products: Arc<Mutex<BTreeMap<u64, ProductResponse>>>,
    down: Arc<AtomicBool>,
    calls: Arc<AtomicUsize>,
    answers: Arc<tokio::sync::Mutex<()>>,
}

impl Catalogue {
    pub async fn serve(&self) -> String {
        testkit::serve_grpc(Routes::new(ProductServiceServer::new(self.clone()))).await
    }

    /// Sells a product from now on, or changes it.
    pub fn sells(&self, id: u64, name: &str, price: u64, stock: i64) {
        let product = ProductResponse { id, name: name.to_owned(), price, stock, deleted: false };
        self.products.lock().unwrap().insert(id, product);
    }

    pub fn removes(&self, id: u64) {
        self.products.lock().unwrap().get_mut(&id).unwrap().deleted = true;
    }

    /// Answers every call with UNAVAILABLE, or no longer so.
    pub fn down(&self, down: bool) {
        self.down.store(down, Ordering::Relaxed);
    }

    /// How often it was asked since the last time.
    pub fn calls(&self) -> usize {
        self.calls.swap(0, Ordering::Relaxed)
    }

    /// The same without starting anew.
    pub fn calls_so_far(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// Answers nobody while the guard lives.
    pub async fn hold_answers(&self) -> tokio::sync::OwnedMutexGuard<()> {
        Arc::clone(&self.answers).lock_owned().await
    }
}

#[tonic::async_trait]
impl ProductService for Catalogue {
    async fn get_products(
        &self,
        request: Request<GetProductsRequest>,
    ) -> Result<Response<ProductsResponse>, Status> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        drop(self.answers.lock().await);
        if self.down.load(Ordering::Relaxed) {
            return Err(Status::unavailable("down"));
        }
        let ids = request.into_inner().ids;
        let known = self.products.lock().unwrap();
        let products = known.values().filter(|product| ids.contains(&product.id)).cloned().collect();
        Ok(Response::new(ProductsResponse { products }))
    }

    async fn get_product(&self, _: Request<GetProductRequest>) -> Result<Response<ProductResponse>, Status> {
        Err(Status::unimplemented("one batch is enough"))
    }

    async fn update_stock(
        &self,
        _: Request<UpdateStockRequest>,
    ) -> Result<Response<UpdateStockResponse>, Status> {
        Err(Status::unimplemented("a cart changes no stock"))
    }

    async fn get_latest_order(
        &self,
        _: Request<GetLatestOrderRequest>,
    ) -> Result<Response<GetLatestOrderResponse>, Status> {
        Err(Status::unimplemented("a cart gives out no numbers"))
    }
}
