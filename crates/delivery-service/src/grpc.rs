//! What order-service asks: is there a delivery, and can it still be stopped.

use chassis::Problem;
use contracts::{
    OrderId,
    grpc::delivery::{
        CancelDeliveryOutcome, CancelDeliveryRequest, CancelDeliveryResponse, DeliveryInfo, DeliveryResponse,
        GetDeliveryByOrderIdRequest,
        delivery_service_server::{DeliveryService, DeliveryServiceServer},
    },
};
use tonic::{Request, Response, Status, service::Routes};

use crate::{
    App,
    app::cancel_delivery::{Outcome, cancel_delivery},
    store,
};

/// The gRPC services of this process.
pub fn routes(app: &App) -> Routes {
    Routes::new(DeliveryServiceServer::new(app.clone()))
}

fn order_id(id: u64) -> Result<OrderId, Problem> {
    OrderId::try_from(id).map_err(|error| Problem::invalid_field("order_id", error.to_string()))
}

#[tonic::async_trait]
impl DeliveryService for App {
    async fn get_delivery_by_order_id(
        &self,
        request: Request<GetDeliveryByOrderIdRequest>,
    ) -> Result<Response<DeliveryResponse>, Status> {
        let order_id = order_id(request.into_inner().order_id)?;
        let mut db = self.db.acquire().await.map_err(Problem::from)?;
        let found = store::find_by_order(&mut db, order_id).await.map_err(Problem::from)?;
        let found = found.ok_or_else(|| Problem::not_found("The order has no delivery yet."))?;
        let (id, status) = (found.id.to_u64(), found.status.to_string());
        let delivery = Some(DeliveryInfo { order_id: order_id.to_u64(), id, status });
        Ok(Response::new(DeliveryResponse { delivery }))
    }

    async fn cancel_delivery(
        &self,
        request: Request<CancelDeliveryRequest>,
    ) -> Result<Response<CancelDeliveryResponse>, Status> {
        let order_id = order_id(request.into_inner().order_id)?;
        let outcome = match cancel_delivery(self, order_id).await.map_err(Problem::from)? {
            Outcome::Cancelled => CancelDeliveryOutcome::Cancelled,
            Outcome::Shipped => CancelDeliveryOutcome::Shipped,
        };
        Ok(Response::new(CancelDeliveryResponse { outcome: outcome.into() }))
    }
}
