//! The gRPC service for order-service and delivery-service: make a page, close a payment, confirm that it is paid.

use std::time::Duration;

use chassis::Problem;
use contracts::{
    OrderId, UserId,
    grpc::payment::{
        CancelOutcome, CancelPaymentRequest, CancelPaymentResponse, ConfirmPaymentRequest,
        ConfirmPaymentResponse, GetPaymentRequest, GetPaymentResponse, PaymentPageAnswer, PaymentPageOutcome,
        PaymentPagesRequest, PaymentPagesResponse,
        payment_service_server::{PaymentService, PaymentServiceServer},
    },
};
use time::OffsetDateTime;
use tonic::{Request, Response, Status, service::Routes};

use crate::{
    AppState,
    app::{
        Cancellation, LinkRequest, MakeLinkError, PaymentLink, cancel_payment, confirm_payment, make_link,
        make_links,
    },
};

/// The most pages that one call can ask for.
const MAX_PAGES: usize = 1_000;

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

fn link_request(state: &AppState, request: GetPaymentRequest) -> Result<LinkRequest, Problem> {
    let amount = i64::try_from(request.amount).ok().filter(|amount| *amount > 0);
    Ok(LinkRequest {
        order_id: order_id(request.order_id)?,
        amount: amount
            .ok_or_else(|| Problem::invalid_field("amount", "must be a positive number of rupiah"))?,
        user_id: user_id(request.user_id)?,
        lifetime: state.config.payment_expiry(Duration::from_secs(request.expires_in_seconds.into())),
    })
}

fn page(link: PaymentLink) -> GetPaymentResponse {
    let left = (link.expires_at - OffsetDateTime::now_utc()).whole_seconds();
    GetPaymentResponse {
        payment_url: link.payment_url,
        expires_at: link.expires_at.unix_timestamp(),
        status: link.status.to_string(),
        expires_in_seconds: u32::try_from(left.max(1)).unwrap_or(u32::MAX),
    }
}

/// One order's answer among many; what cannot be answered now is asked for again.
fn answer(link: Option<Result<PaymentLink, MakeLinkError>>, order_id: OrderId) -> PaymentPageAnswer {
    let (outcome, page) = match link {
        Some(Ok(link)) => (PaymentPageOutcome::Open, Some(page(link))),
        Some(Err(MakeLinkError::Closed)) => (PaymentPageOutcome::Closed, None),
        Some(Err(MakeLinkError::Unknown)) => (PaymentPageOutcome::UnknownOrder, None),
        Some(Err(error)) => {
            let error = chassis::error_chain(&error);
            tracing::warn!(order.id = %order_id, error, "payment page could not be made");
            (PaymentPageOutcome::Later, None)
        }
        None => (PaymentPageOutcome::Later, None),
    };
    PaymentPageAnswer { outcome: outcome.into(), page }
}

#[tonic::async_trait]
impl PaymentService for AppState {
    async fn get_payment_url(
        &self,
        request: Request<GetPaymentRequest>,
    ) -> Result<Response<GetPaymentResponse>, Status> {
        let request = link_request(self, request.into_inner())?;
        let link = make_link(self, request).await.map_err(Problem::from)?;
        Ok(Response::new(page(link)))
    }

    async fn get_payment_ur_ls(
        &self,
        request: Request<PaymentPagesRequest>,
    ) -> Result<Response<PaymentPagesResponse>, Status> {
        let requests = request.into_inner().requests;
        if requests.len() > MAX_PAGES {
            let detail = format!("must be at most {MAX_PAGES}");
            return Err(Problem::invalid_field("requests", detail).into());
        }
        let requests: Vec<LinkRequest> =
            requests.into_iter().map(|request| link_request(self, request)).collect::<Result<_, _>>()?;
        let links = make_links(self, &requests).await.map_err(Problem::from)?;
        let answers = links.into_iter().zip(requests).map(|(link, request)| answer(link, request.order_id));
        Ok(Response::new(PaymentPagesResponse { answers: answers.collect() }))
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
