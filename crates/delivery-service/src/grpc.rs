//! What order-service calls: to find the delivery of an order, and to cancel it.

use chassis::Problem;
use contracts::{
    OrderId, UserId,
    grpc::delivery::{
        CancelDeliveryOutcome, CancelDeliveryRequest, CancelDeliveryResponse, DeliveryInfo, DeliveryResponse,
        GetDeliveryByOrderIdRequest,
        delivery_service_server::{DeliveryService, DeliveryServiceServer},
    },
};
use tonic::{Request, Response, Status, service::Routes};

use crate::{
    AppState,
    app::{CancelOutcome, cancel_delivery},
    error::Code,
    store,
};

pub fn routes(state: &AppState) -> Routes {
    Routes::new(DeliveryServiceServer::new(state.clone()))
}

fn order_id(id: u64) -> Result<OrderId, Problem> {
    OrderId::try_from(id).map_err(|error| Problem::invalid_field("order_id", error.to_string()))
}

/// The buyer, whom an older caller does not name.
fn user_id(id: u64) -> Result<Option<UserId>, Problem> {
    let parsed = UserId::try_from(id).map(Some);
    if id == 0 { Ok(None) } else { parsed.map_err(|e| Problem::invalid_field("user_id", e.to_string())) }
}

#[tonic::async_trait]
impl DeliveryService for AppState {
    async fn get_delivery_by_order_id(
        &self,
        request: Request<GetDeliveryByOrderIdRequest>,
    ) -> Result<Response<DeliveryResponse>, Status> {
        let GetDeliveryByOrderIdRequest { order_id: order, user_id: user } = request.into_inner();
        let (order_id, user_id) = (order_id(order)?, user_id(user)?);
        let mut db = self.db.acquire().await.map_err(Problem::from)?;
        let found = store::find_by_order(&mut db, order_id).await.map_err(Problem::from)?;
        let found = found.ok_or_else(|| Problem::from(Code::NoDeliveryYet))?;
        if !found.is_of(user_id) {
            return Err(Problem::from(Code::AnotherOrder).into());
        }
        let (id, status) = (found.id.to_u64(), found.status.to_string());
        let delivery = Some(DeliveryInfo { order_id: order_id.to_u64(), id, status });
        Ok(Response::new(DeliveryResponse { delivery }))
    }

    async fn cancel_delivery(
        &self,
        request: Request<CancelDeliveryRequest>,
    ) -> Result<Response<CancelDeliveryResponse>, Status> {
        let CancelDeliveryRequest { order_id: order, user_id: user } = request.into_inner();
        let (order_id, user_id) = (order_id(order)?, user_id(user)?);
        let outcome = match cancel_delivery(self, order_id, user_id).await.map_err(Problem::from)? {
            CancelOutcome::Cancelled => CancelDeliveryOutcome::Cancelled,
            CancelOutcome::Shipped => CancelDeliveryOutcome::Shipped,
        };
        Ok(Response::new(CancelDeliveryResponse { outcome: outcome.into() }))
    }
}
