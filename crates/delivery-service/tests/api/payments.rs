//! Goods leave only while their money is there.

use std::sync::{Arc, Mutex};

use contracts::{
    events::{DeliveryFailed, DeliveryShipped, DeliverySuccess},
    grpc::payment::{
        CancelPaymentRequest, CancelPaymentResponse, ConfirmPaymentRequest, ConfirmPaymentResponse,
        GetPaymentRequest, GetPaymentResponse, PaymentPagesRequest, PaymentPagesResponse,
        payment_service_server::{PaymentService, PaymentServiceServer},
    },
};
use serde_json::json;
use tonic::{Code, Request, Response, Status, service::Routes};

use crate::{TestApp, advance, start};

/// A payment-service whose answer a test sets. Clones are the same one.
#[derive(Clone, Default)]
pub struct Payments(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// What it answers instead of "paid".
    answer: Option<Result<bool, Code>>,
    /// Orders and buyers that it was asked about.
    asked: Vec<(u64, u64)>,
}

impl Payments {
    pub fn routes(&self) -> Routes {
        Routes::new(PaymentServiceServer::new(self.clone()))
    }

    fn answers(&self, answer: Result<bool, Code>) {
        self.0.lock().unwrap().answer = Some(answer);
    }

    fn asked(&self) -> Vec<(u64, u64)> {
        self.0.lock().unwrap().asked.clone()
    }
}

#[tonic::async_trait]
impl PaymentService for Payments {
    async fn get_payment_url(
        &self,
        _: Request<GetPaymentRequest>,
    ) -> Result<Response<GetPaymentResponse>, Status> {
        Err(Status::unimplemented("delivery-service does not ask"))
    }

    async fn get_payment_ur_ls(
        &self,
        _: Request<PaymentPagesRequest>,
    ) -> Result<Response<PaymentPagesResponse>, Status> {
        Err(Status::unimplemented("delivery-service does not ask"))
    }

    async fn cancel_payment(
        &self,
        _: Request<CancelPaymentRequest>,
    ) -> Result<Response<CancelPaymentResponse>, Status> {
        Err(Status::unimplemented("delivery-service does not ask"))
    }

    async fn confirm_payment(
        &self,
        request: Request<ConfirmPaymentRequest>,
    ) -> Result<Response<ConfirmPaymentResponse>, Status> {
        let ConfirmPaymentRequest { order_id, user_id } = request.into_inner();
        let mut state = self.0.lock().unwrap();
        state.asked.push((order_id, user_id));
        match state.answer.unwrap_or(Ok(true)) {
            Ok(paid) => {
                let status = if paid { "SUCCESS" } else { "REVERSED" }.to_owned();
                Ok(Response::new(ConfirmPaymentResponse { paid, status, confirmed: true }))
            }
            Err(code) => Err(Status::new(code, "as the test wants it")),
        }
    }
}

#[tokio::test]
async fn payment_service_is_asked_when_goods_leave_and_only_then() {
    let app = TestApp::start().await;
    let path = start(&app, 41, 7).await;
    advance(&app, &path, "IN_TRANSIT").await;
    assert_eq!(app.payments.asked(), [(41, 7)]);
    advance(&app, &path, "DELIVERED").await;
    advance(&app, &path, "DELIVERED").await;
    let undeliverable = start(&app, 42, 7).await;
    advance(&app, &undeliverable, "FAILED").await;
    assert_eq!(app.payments.asked(), [(41, 7)]);
    let at_once = start(&app, 43, 8).await;
    advance(&app, &at_once, "DELIVERED").await;
    assert_eq!(app.payments.asked(), [(41, 7), (43, 8)]);
}

#[tokio::test]
async fn goods_whose_money_has_gone_stay() {
    let app = TestApp::start().await;
    let path = start(&app, 41, 7).await;
    for answer in [Ok(false), Err(Code::NotFound), Err(Code::FailedPrecondition)] {
        app.payments.answers(answer);
        for status in ["IN_TRANSIT", "DELIVERED"] {
            let set = app.admin().put(&format!("{path}/status"), json!({ "status": status })).await;
            set.problem(409, "not_paid");
        }
    }
    assert_eq!(app.admin().get(&path).await.expect(200)["status"], "PENDING");
    assert_eq!(
        (app.published::<DeliveryShipped>().await, app.published::<DeliverySuccess>().await),
        (vec![], vec![])
    );
    advance(&app, &path, "FAILED").await;
    assert_eq!(app.published::<DeliveryFailed>().await.len(), 1);
}

#[tokio::test]
async fn goods_wait_for_a_payment_service_that_does_not_answer() {
    let app = TestApp::start().await;
    let path = start(&app, 41, 7).await;
    app.payments.answers(Err(Code::Unavailable));
    let set = app.admin().put(&format!("{path}/status"), json!({ "status": "IN_TRANSIT" })).await;
    set.problem(503, "payment_unavailable");
    assert!(!set.header("retry-after").is_empty());
    app.payments.answers(Err(Code::Unimplemented));
    advance(&app, &path, "IN_TRANSIT").await;
}
