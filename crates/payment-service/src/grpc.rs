//! The gRPC service for order-service and delivery-service: make a page, close a payment, confirm that it is paid.

use std::time::Duration;

use chassis::Problem;
use contracts::{
    OrderId, UserId,
    grpc::payment::{
        CancelOutcome, CancelPaymentRequest, CancelPaymentResponse, ConfirmPaymentRequest,
        ConfirmPaymentResponse, GetPaymentRequest, GetPaymentResponse,
        payment_service_server::{PaymentService, PaymentServiceServer},
    },
};
use time::OffsetDateTime;
use tonic::{Request, Response, Status, service::Routes};

use crate::{
    AppState,
    app::{Cancellation, cancel_payment, confirm_payment, make_link},
};

/// The gRPC services of this process.
pub fn routes(state: &AppState) -> Routes {
    Routes::new(PaymentServiceServer::new(state.clone()))
}

fn order_id(id: u64) -> Result<OrderId, Problem> {
    OrderId::try_from(id).map_err(|error| Problem::invalid_field("order_id", error.to_string()))
}

fn user_id(id: u64) -> Result<UserId, Problem> {
    UserId::try_from(id).map_err(|error| Problem::invalid_field("user_id", error.to_string()))
}

/// The buyer; an older caller leaves it out, which is 0 on the wire.
fn optional_user_id(id: u64) -> Result<Option<UserId>, Problem> {
    if id == 0 { Ok(None) } else { user_id(id).map(Some) }
}

#[tonic::async_trait]
impl PaymentService for AppState {
    async fn get_payment_url(
        &self,
        request: Request<GetPaymentRequest>,
    ) -> Result<Response<GetPaymentResponse>, Status> {
        let GetPaymentRequest { order_id: order, amount, user_id: user, expires_in_seconds } =
            request.into_inner();
        let (order, user) = (order_id(order)?, user_id(user)?);
        let amount = i64::try_from(amount).ok().filter(|amount| *amount > 0);
        let amount =
            amount.ok_or_else(|| Problem::invalid_field("amount", "must be a positive number of rupiah"))?;
        let lifetime = self.config.payment_expiry(Duration::from_secs(expires_in_seconds.into()));
        let link = make_link(self, order, amount, user, lifetime).await.map_err(Problem::from)?;
        let left = (link.expires_at - OffsetDateTime::now_utc()).whole_seconds();
        Ok(Response::new(GetPaymentResponse {
            payment_url: link.payment_url,
            expires_at: link.expires_at.unix_timestamp(),
            status: link.status.to_string(),
            expires_in_seconds: u32::try_from(left.max(1)).unwrap_or(u32::MAX),
        }))
    }

    async fn cancel_payment(
        &self,
        request: Request<CancelPaymentRequest>,
    ) -> Result<Response<CancelPaymentResponse>, Status> {
        let CancelPaymentRequest { order_id: order, user_id: user } = request.into_inner();
        let (order, user) = (order_id(order)?, optional_user_id(user)?);
        let outcome = match cancel_payment(self, order, user).await.map_err(Problem::from)? {
            Cancellation::Cancelled => CancelOutcome::Cancelled,
            Cancellation::Paid => CancelOutcome::Paid,
            Cancellation::Unknown => CancelOutcome::Unknown,
        };
        Ok(Response::new(CancelPaymentResponse { outcome: outcome.into() }))
    }

    async fn confirm_payment(
        &self,
        request: Request<ConfirmPaymentRequest>,
    ) -> Result<Response<ConfirmPaymentResponse>, Status> {
        let ConfirmPaymentRequest { order_id: order, user_id: user } = request.into_inner();
        let (order, user) = (order_id(order)?, optional_user_id(user)?);
        let confirmation = confirm_payment(self, order, user).await.map_err(Problem::from)?;
        Ok(Response::new(ConfirmPaymentResponse {
            paid: confirmation.status.is_paid(),
            status: confirmation.status.to_string(),
            confirmed: confirmation.confirmed,
        }))
    }
}
