//! What order-service calls: to read a cart, and to take something out of it.

use std::collections::HashSet;

use chassis::Problem;
use contracts::{
    ProductId, UserId,
    grpc::cart::{
        CartItem, CartResponse, EmptyResponse, GetCartItemRequest, GetCartRequest,
        cart_service_server::{CartService, CartServiceServer},
    },
};
use tonic::{Request, Response, Status, service::Routes};

use crate::{AppState, domain::Line, store};

pub fn routes(state: &AppState) -> Routes {
    Routes::new(CartServiceServer::new(state.clone()))
}

fn user_id(text: &str) -> Result<UserId, Problem> {
    text.parse()
        .map_err(|error: contracts::ids::InvalidId| Problem::invalid_field("user_id", error.to_string()))
}

fn product_ids<C: FromIterator<ProductId>>(ids: Vec<u64>) -> Result<C, Problem> {
    let ids = ids.into_iter().map(ProductId::try_from).collect::<Result<C, _>>();
    ids.map_err(|error| Problem::invalid_field("product_ids", error.to_string()))
}

fn response(user_id: UserId, lines: impl IntoIterator<Item = Line>, read_at: u64) -> CartResponse {
    let items: Vec<CartItem> = lines.into_iter().map(item).collect();
    let total_price = items.iter().map(|item| item.price.saturating_mul(item.quantity.into())).sum();
    CartResponse { user_id: user_id.to_string(), items, total_price, read_at }
}

fn item(line: Line) -> CartItem {
    CartItem {
        product_id: line.product_id.to_u64(),
        name: line.cached.name,
        price: line.price_added.unsigned_abs(),
        quantity: line.quantity.unsigned_abs(),
    }
}

#[tonic::async_trait]
impl CartService for AppState {
    async fn get_user_cart(
        &self,
        request: Request<GetCartRequest>,
    ) -> Result<Response<CartResponse>, Status> {
        let user_id = user_id(&request.into_inner().user_id)?;
        let (lines, read_at) = store::read_cart(&self.redis, user_id).await.map_err(Problem::from)?;
        Ok(Response::new(response(user_id, lines, read_at)))
    }

    async fn clear_user_cart(
        &self,
        request: Request<GetCartRequest>,
    ) -> Result<Response<EmptyResponse>, Status> {
        let user_id = user_id(&request.into_inner().user_id)?;
        store::delete_cart(&self.redis, user_id).await.map_err(Problem::from)?;
        Ok(Response::new(EmptyResponse {}))
    }

    async fn get_cart_items(
        &self,
        request: Request<GetCartItemRequest>,
    ) -> Result<Response<CartResponse>, Status> {
        let request = request.into_inner();
        let (user_id, wanted) = (user_id(&request.user_id)?, product_ids::<HashSet<_>>(request.product_ids)?);
        let (lines, read_at) = store::read_cart(&self.redis, user_id).await.map_err(Problem::from)?;
        let lines = lines.into_iter().filter(|line| wanted.contains(&line.product_id));
        Ok(Response::new(response(user_id, lines, read_at)))
    }

    async fn remove_cart_items(
        &self,
        request: Request<GetCartItemRequest>,
    ) -> Result<Response<EmptyResponse>, Status> {
        let request = request.into_inner();
        let (user_id, unwanted) = (user_id(&request.user_id)?, product_ids::<Vec<_>>(request.product_ids)?);
        store::delete_lines(&self.redis, user_id, &unwanted).await.map_err(Problem::from)?;
        Ok(Response::new(EmptyResponse {}))
    }
}
