//! What cart-service and order-service call: prices and stock, and undelivered goods that become free again.

use chassis::Problem;
use contracts::{
    OrderId, ProductId, UserId,
    events::Subject,
    grpc::product::{
        GetLatestOrderRequest, GetLatestOrderResponse, GetProductRequest, GetProductsRequest,
        ProductResponse, ProductsResponse, UpdateStockRequest, UpdateStockResponse,
        product_service_server::{ProductService, ProductServiceServer},
    },
};
use tonic::{Request, Response, Status, service::Routes};

use crate::{
    AppState,
    app::{change_stock, return_goods},
    domain::{
        allocation::Line,
        catalogue::{MAX_STOCK, ProductSummary},
    },
    error::Code,
    store,
};

/// The most products that one call can ask for.
const MAX_IDS: usize = 1_000;
/// The only change that is made for an order here: its goods come back.
const RETURN: &str = "return";
/// The longest reason for a change without an order.
const MAX_REASON: usize = 255;

pub fn routes(state: &AppState) -> Routes {
    Routes::new(ProductServiceServer::new(state.clone()))
}

fn response(product: ProductSummary) -> ProductResponse {
    ProductResponse {
        id: product.id.to_u64(),
        name: product.name,
        price: product.price.unsigned_abs(),
        stock: product.stock,
        deleted: product.deleted,
    }
}

#[tonic::async_trait]
impl ProductService for AppState {
    async fn get_product(
        &self,
        request: Request<GetProductRequest>,
    ) -> Result<Response<ProductResponse>, Status> {
        let id =
            ProductId::try_from(request.into_inner().id).map_err(|_| Problem::from(Code::UnknownProduct))?;
        let mut db = self.db.acquire().await.map_err(Problem::from)?;
        let found = store::find_product_summary(&mut db, id).await.map_err(Problem::from)?;
        let product =
            found.filter(|product| !product.deleted).ok_or_else(|| Problem::from(Code::UnknownProduct))?;
        Ok(Response::new(response(product)))
    }

    async fn get_products(
        &self,
        request: Request<GetProductsRequest>,
    ) -> Result<Response<ProductsResponse>, Status> {
        let ids = request.into_inner().ids;
        if ids.len() > MAX_IDS {
            return Err(Problem::invalid_field("ids", format!("must be {MAX_IDS} at most")).into());
        }
        let ids: Vec<i64> = ids.into_iter().filter_map(|id| i64::try_from(id).ok()).collect();
        let mut db = self.db.acquire().await.map_err(Problem::from)?;
        let summaries = store::list_product_summaries(&mut db, &ids).await.map_err(Problem::from)?;
        Ok(Response::new(ProductsResponse { products: summaries.into_iter().map(response).collect() }))
    }

    async fn update_stock(
        &self,
        request: Request<UpdateStockRequest>,
    ) -> Result<Response<UpdateStockResponse>, Status> {
        let request = request.into_inner();
        let id = ProductId::try_from(request.id).map_err(|_| Problem::from(Code::UnknownProduct))?;
        let stock = match request.order_id {
            0 => change(self, id, &request).await?,
            order => take_back(self, order, id, &request).await?,
        };
        Ok(Response::new(UpdateStockResponse { message: format!("{stock} units are free"), stock }))
    }

    async fn get_latest_order(
        &self,
        _: Request<GetLatestOrderRequest>,
    ) -> Result<Response<GetLatestOrderResponse>, Status> {
        let mut db = self.db.acquire().await.map_err(Problem::from)?;
        let latest = store::find_latest_order(&mut db).await.map_err(Problem::from)?;
        Ok(Response::new(GetLatestOrderResponse { order_id: latest.unsigned_abs() }))
    }
}

/// A change that is made for no order.
async fn change(state: &AppState, id: ProductId, request: &UpdateStockRequest) -> Result<i64, Problem> {
    if request.reason == RETURN {
        return Err(Problem::invalid_field("order_id", "is needed for a return"));
    }
    if request.add.unsigned_abs() > MAX_STOCK.unsigned_abs() {
        return Err(Problem::invalid_field("add", format!("must be {MAX_STOCK} at most, either way")));
    }
    if request.reason.chars().count() > MAX_REASON || request.reason.contains('\0') {
        return Err(Problem::invalid_field("reason", format!("must have {MAX_REASON} characters at most")));
    }
    let note = Some(request.reason.as_str()).filter(|reason| !reason.is_empty());
    Ok(change_stock(state, id, request.add, note).await?)
}

/// Goods of an order come back.
async fn take_back(
    state: &AppState,
    order: u64,
    id: ProductId,
    request: &UpdateStockRequest,
) -> Result<i64, Problem> {
    let order = OrderId::try_from(order).map_err(|e| Problem::invalid_field("order_id", e.to_string()))?;
    if request.reason != RETURN {
        return Err(Problem::invalid_field("reason", "must be `return` for a change with an order"));
    }
    if request.add < 1 {
        return Err(Problem::invalid_field("add", "must be at least 1 for a return"));
    }
    let user_id = match request.user_id {
        0 => None,
        id => Some(UserId::try_from(id).map_err(|e| Problem::invalid_field("user_id", e.to_string()))?),
    };
    let order = Subject { order_id: order, user_id, total_amount: None };
    Ok(return_goods(state, order, Line { product_id: id, quantity: request.add }).await?)
}
