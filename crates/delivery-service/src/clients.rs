//! The service that this one calls: payment-service, before goods leave.

use chassis::{
    BoxError, ServiceContext,
    grpc::{Peer, PeerChannel},
};
use contracts::{
    OrderId, UserId,
    grpc::payment::{ConfirmPaymentRequest, payment_service_client::PaymentServiceClient},
};
use tonic::{Code, Status};

#[derive(Debug, Clone)]
pub struct Payments {
    client: PaymentServiceClient<PeerChannel>,
}

impl Payments {
    /// Starts to resolve the address of payment-service. Nothing is connected before the first call.
    ///
    /// # Errors
    /// If the URL is none.
    pub fn follow(url: &str, context: &ServiceContext) -> Result<Self, BoxError> {
        let peer = Peer::follow(url, &context.common.internal_secret, &context.lifecycle)?;
        Ok(Self { client: PaymentServiceClient::new(peer.channel()) })
    }

    /// Whether the money of an order is there, so that its goods may leave. If Midtrans does not answer, what it said last
    /// counts: goods are not kept back because a bank is slow.
    ///
    /// # Errors
    /// If payment-service does not answer.
    pub async fn is_paid(&self, order_id: OrderId, user_id: UserId) -> Result<bool, Status> {
        let request = ConfirmPaymentRequest { order_id: order_id.to_u64(), user_id: user_id.to_u64() };
        match self.client.clone().confirm_payment(request).await {
            Ok(reply) => Ok(reply.into_inner().paid),
            Err(status) if matches!(status.code(), Code::NotFound | Code::FailedPrecondition) => Ok(false),
            // The version before this one, as during an upgrade: it was enough that the order is paid.
            Err(status) if status.code() == Code::Unimplemented => Ok(true),
            Err(status) => Err(status),
        }
    }
}
