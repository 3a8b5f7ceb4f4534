//! The four services that order-service asks, as a test wants them to be.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use contracts::grpc::{cart, delivery, payment, product};
use tokio::sync::Notify;
use tonic::{Code, Request, Response, Status, service::Routes};

type Answer<T> = Result<Response<T>, Status>;

/// When payment pages end: far enough ahead for every test.
pub const PAGE_ENDS: i64 = 4_102_444_800;

/// When carts are read, by their service's clock: microseconds.
pub const CART_READ_AT: u64 = 1_767_323_045_000_001;

/// A world. Clones are the same one.
#[derive(Clone, Default)]
pub struct World(Arc<Mutex<State>>);

/// What a test sets, and what it may look at.
#[derive(Default)]
pub struct State {
    /// Lines (product, quantity) per user id.
    pub carts: BTreeMap<String, Vec<(u64, u32)>>,
    pub products: Vec<product::ProductResponse>,
    /// Services that fail with a code, by name.
    pub down: BTreeMap<&'static str, Code>,
    pub silent: Vec<&'static str>,
    /// How often `GetPaymentURL` still answers `NOT_FOUND`.
    pub page_later: u32,
    /// The highest number of an order that product-service knows.
    pub latest_order: u64,
    /// Payment pages that were asked for: order, amount, user.
    pub pages: Vec<(u64, u64, u64)>,
    /// The longest lifetimes that were asked for, in seconds.
    pub lifetimes: Vec<u32>,
    pub payment_end: payment::CancelOutcome,
    /// Orders whose payment was asked to close.
    pub closed: Vec<u64>,
    /// What `CancelPayment` waits for before it answers.
    pub payment_gate: Option<Arc<Notify>>,
    /// What delivery-service knows: its id and status.
    pub delivery: Option<(u64, &'static str)>,
    pub delivery_end: delivery::CancelDeliveryOutcome,
    /// Goods that came back: order, product, units, reason.
    pub returned: Vec<(u64, u64, i64, String)>,
    /// Products whose goods are not taken back yet.
    pub not_taken_back: Vec<u64>,
}

/// How long payment pages still live.
pub fn seconds_to_the_end() -> i64 {
    PAGE_ENDS - time::OffsetDateTime::now_utc().unix_timestamp()
}

impl World {
    pub fn set(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub fn sell(&self, id: u64, name: &str, price: u64) {
        let product = product::ProductResponse { id, name: name.to_owned(), price, stock: 5, deleted: false };
        self.set().products.retain(|known| known.id != id);
        self.set().products.push(product);
    }

    pub fn fill(&self, user: i64, lines: &[(u64, u32)]) {
        self.set().carts.insert(user.to_string(), lines.to_vec());
    }

    /// All of its services on one server, as their clients expect them.
    pub fn routes(&self) -> Routes {
        Routes::new(cart::cart_service_server::CartServiceServer::new(self.clone()))
            .add_service(product::product_service_server::ProductServiceServer::new(self.clone()))
            .add_service(payment::payment_service_server::PaymentServiceServer::new(self.clone()))
            .add_service(delivery::delivery_service_server::DeliveryServiceServer::new(self.clone()))
    }

    async fn enter(&self, service: &'static str) -> Result<(), Status> {
        let (silent, code) = {
            let state = self.set();
            (state.silent.contains(&service), state.down.get(service).copied())
        };
        if silent {
            std::future::pending::<()>().await;
        }
        code.map_or(Ok(()), |code| Err(Status::new(code, "as the test wants it")))
    }

    fn cart(&self, user_id: String, wanted: impl Fn(u64) -> bool) -> cart::CartResponse {
        let lines = self.set().carts.get(&user_id).cloned().unwrap_or_default();
        let item = |(product_id, quantity)| cart::CartItem {
            product_id,
            quantity,
            name: "as it was when it was added".to_owned(),
            price: 1,
        };
        let items = lines.into_iter().filter(|(id, _)| wanted(*id)).map(item).collect();
        cart::CartResponse { user_id, items, total_price: 1, read_at: CART_READ_AT }
    }
}

#[tonic::async_trait]
impl cart::cart_service_server::CartService for World {
    async fn get_user_cart(&self, request: Request<cart::GetCartRequest>) -> Answer<cart::CartResponse> {
        self.enter("cart").await?;
        Ok(Response::new(self.cart(request.into_inner().user_id, |_| true)))
    }

    async fn get_cart_items(&self, request: Request<cart::GetCartItemRequest>) -> Answer<cart::CartResponse> {
        self.enter("cart").await?;
        let cart::GetCartItemRequest { user_id, product_ids } = request.into_inner();
        Ok(Response::new(self.cart(user_id, |id| product_ids.contains(&id))))
    }

    async fn clear_user_cart(&self, _: Request<cart::GetCartRequest>) -> Answer<cart::EmptyResponse> {
        Err(Status::unimplemented("order-service never empties a cart itself"))
    }

    async fn remove_cart_items(&self, _: Request<cart::GetCartItemRequest>) -> Answer<cart::EmptyResponse> {
        Err(Status::unimplemented("order-service never empties a cart itself"))
    }
}

#[tonic::async_trait]
impl product::product_service_server::ProductService for World {
    async fn get_product(&self, _: Request<product::GetProductRequest>) -> Answer<product::ProductResponse> {
        Err(Status::unimplemented("order-service asks for many at once"))
    }

    async fn get_products(
        &self,
        request: Request<product::GetProductsRequest>,
    ) -> Answer<product::ProductsResponse> {
        self.enter("product").await?;
        let ids = request.into_inner().ids;
        let known = self.set().products.clone();
        let products = known.into_iter().filter(|product| ids.contains(&product.id)).collect();
        Ok(Response::new(product::ProductsResponse { products }))
    }

    async fn update_stock(
        &self,
        request: Request<product::UpdateStockRequest>,
    ) -> Answer<product::UpdateStockResponse> {
        self.enter("product").await?;
        let product::UpdateStockRequest { id, add, order_id, reason, .. } = request.into_inner();
        let mut state = self.set();
        if state.not_taken_back.contains(&id) {
            return Err(Status::failed_precondition("the sale is not known yet"));
        }
        state.returned.push((order_id, id, add, reason));
        Ok(Response::new(product::UpdateStockResponse { message: "ok".to_owned(), stock: add }))
    }

    async fn get_latest_order(
        &self,
        _: Request<product::GetLatestOrderRequest>,
    ) -> Answer<product::GetLatestOrderResponse> {
        Ok(Response::new(product::GetLatestOrderResponse { order_id: self.set().latest_order }))
    }
}

#[tonic::async_trait]
impl payment::payment_service_server::PaymentService for World {
    async fn get_payment_url(
        &self,
        request: Request<payment::GetPaymentRequest>,
    ) -> Answer<payment::GetPaymentResponse> {
        self.enter("payment").await?;
        let payment::GetPaymentRequest { order_id, amount, user_id, expires_in_seconds } =
            request.into_inner();
        let mut state = self.set();
        state.lifetimes.push(expires_in_seconds);
        if state.page_later > 0 {
            state.page_later -= 1;
            return Err(Status::not_found("OrderCreated has not come yet"));
        }
        state.pages.push((order_id, amount, user_id));
        let payment_url = format!("http://pay.example/{order_id}");
        let status = "PENDING".to_owned();
        let expires_in_seconds = u32::try_from(seconds_to_the_end()).unwrap();
        Ok(Response::new(payment::GetPaymentResponse {
            payment_url,
            expires_at: PAGE_ENDS,
            status,
            expires_in_seconds,
        }))
    }

    async fn get_payment_ur_ls(
        &self,
        request: Request<payment::PaymentPagesRequest>,
    ) -> Answer<payment::PaymentPagesResponse> {
        let mut answers = Vec::new();
        for request in request.into_inner().requests {
            let (outcome, page) = match self.get_payment_url(Request::new(request)).await {
                Ok(page) => (payment::PaymentPageOutcome::Open, Some(page.into_inner())),
                Err(status) if status.code() == Code::FailedPrecondition => {
                    (payment::PaymentPageOutcome::Closed, None)
                }
                Err(status) if status.code() == Code::NotFound => {
                    (payment::PaymentPageOutcome::UnknownOrder, None)
                }
                Err(status) => return Err(status),
            };
            answers.push(payment::PaymentPageAnswer { outcome: outcome.into(), page });
        }
        Ok(Response::new(payment::PaymentPagesResponse { answers }))
    }

    async fn cancel_payment(
        &self,
        request: Request<payment::CancelPaymentRequest>,
    ) -> Answer<payment::CancelPaymentResponse> {
        self.enter("payment").await?;
        self.set().closed.push(request.into_inner().order_id);
        let gate = self.set().payment_gate.clone();
        if let Some(gate) = gate {
            gate.notified().await;
        }
        let outcome = self.set().payment_end.into();
        Ok(Response::new(payment::CancelPaymentResponse { outcome }))
    }

    async fn confirm_payment(
        &self,
        _: Request<payment::ConfirmPaymentRequest>,
    ) -> Answer<payment::ConfirmPaymentResponse> {
        Err(Status::unimplemented("order-service does not ask"))
    }
}

#[tonic::async_trait]
impl delivery::delivery_service_server::DeliveryService for World {
    async fn get_delivery_by_order_id(
        &self,
        request: Request<delivery::GetDeliveryByOrderIdRequest>,
    ) -> Answer<delivery::DeliveryResponse> {
        self.enter("delivery").await?;
        let order_id = request.into_inner().order_id;
        let (id, status) = self.set().delivery.ok_or_else(|| Status::not_found("none yet"))?;
        let delivery = delivery::DeliveryInfo { order_id, id, status: status.to_owned() };
        Ok(Response::new(delivery::DeliveryResponse { delivery: Some(delivery) }))
    }

    async fn cancel_delivery(
        &self,
        _: Request<delivery::CancelDeliveryRequest>,
    ) -> Answer<delivery::CancelDeliveryResponse> {
        self.enter("delivery").await?;
        let outcome = self.set().delivery_end.into();
        Ok(Response::new(delivery::CancelDeliveryResponse { outcome }))
    }
}
