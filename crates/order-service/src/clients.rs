//! Clients of the other services, with answers in the types of this one.

use std::{collections::BTreeMap, time::Duration};

use chassis::{
    BoxError, ServiceContext,
    grpc::{Peer, PeerChannel},
};
use contracts::{
    DeliveryId, OrderId, ProductId, UserId,
    grpc::{
        cart::{CartItem, GetCartItemRequest, GetCartRequest, cart_service_client::CartServiceClient},
        delivery::{
            CancelDeliveryOutcome, CancelDeliveryRequest, GetDeliveryByOrderIdRequest,
            delivery_service_client::DeliveryServiceClient,
        },
        payment::{
            CancelOutcome, CancelPaymentRequest, GetPaymentRequest, GetPaymentResponse, PaymentPageAnswer,
            PaymentPageOutcome, PaymentPagesRequest, payment_service_client::PaymentServiceClient,
        },
        product::{
            GetLatestOrderRequest, GetProductsRequest, ProductResponse, UpdateStockRequest,
            product_service_client::ProductServiceClient,
        },
    },
};
use time::OffsetDateTime;
use tonic::{Code, Status};

use crate::{
    config::Config,
    domain::{Cart, CartLine, OnSale, PaymentPage},
    store::returns::StockReturn,
};

/// The reason of the movement in product-service's ledger.
const RETURN: &str = "return";

/// The services that are called over gRPC. Cheap to clone: clones share their connections.
#[derive(Debug, Clone)]
pub struct Clients {
    cart: CartServiceClient<PeerChannel>,
    product: ProductServiceClient<PeerChannel>,
    payment: PaymentServiceClient<PeerChannel>,
    delivery: DeliveryServiceClient<PeerChannel>,
}

/// An order whose payment page is requested.
#[derive(Debug, Clone, Copy)]
pub struct PageRequest {
    pub order: OrderId,
    /// What the order costs, in whole rupiah.
    pub amount: i64,
    pub buyer: UserId,
    /// How long the page may be used at most, if it is made now; zero for the usual time.
    pub lifetime: Duration,
}

/// payment-service's answer to where an order can be paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageAnswer {
    Open(PaymentPage),
    /// The payment has ended: there will be no page.
    Closed,
    /// It has not consumed the order's `OrderCreated` yet.
    Unknown,
    /// The page is not made yet.
    Later,
}

/// payment-service's answer to a request to close a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentEnd {
    /// Closed for good: Midtrans has confirmed it.
    Cancelled,
    /// It was paid before it could be closed.
    Paid,
    /// Midtrans does not answer: nothing has changed.
    Unknown,
}

/// delivery-service's answer to a request to stop a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryEnd {
    /// It was stopped, and will not leave.
    Cancelled,
    /// Its goods have left: it cannot be stopped any more.
    Shipped,
}

/// What delivery-service knows of an order's delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownDelivery {
    /// There is none: `OrderPaid` has not been consumed, or was lost.
    Missing,
    /// There is one, and it was not stopped.
    Started(DeliveryId),
    /// It was stopped before its goods left.
    Cancelled,
}

impl Clients {
    /// Connects on the first call, and follows the replicas of each service.
    pub fn follow(config: &Config, context: &ServiceContext) -> Result<Self, BoxError> {
        let channel = |url: &str| {
            Peer::follow(url, &context.common.internal_secret, &context.lifecycle).map(|peer| peer.channel())
        };
        Ok(Self {
            cart: CartServiceClient::new(channel(&config.cart_grpc_url)?),
            product: ProductServiceClient::new(channel(&config.product_grpc_url)?),
            payment: PaymentServiceClient::new(channel(&config.payment_grpc_url)?),
            delivery: DeliveryServiceClient::new(channel(&config.delivery_grpc_url)?),
        })
    }

    /// A buyer's cart, or those of the named products that are in it.
    pub async fn cart(&self, buyer: UserId, only: Option<&[ProductId]>) -> Result<Cart, Status> {
        let (mut cart, user_id) = (self.cart.clone(), buyer.to_string());
        let reply = match only {
            None => cart.get_user_cart(GetCartRequest { user_id }).await?.into_inner(),
            Some(ids) => {
                let product_ids = ids.iter().map(|id| id.to_u64()).collect();
                cart.get_cart_items(GetCartItemRequest { user_id, product_ids }).await?.into_inner()
            }
        };
        let lines = reply.items.iter().map(cart_line).collect::<Result<_, _>>()?;
        let read_at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(reply.read_at) * 1_000);
        let read_at = read_at.ok().filter(|_| reply.read_at > 0);
        Ok(Cart { lines, read_at })
    }

    /// Those of the products that can be bought at this moment.
    pub async fn products_on_sale(&self, cart: &[CartLine]) -> Result<BTreeMap<ProductId, OnSale>, Status> {
        let ids = cart.iter().map(|line| line.product_id.to_u64()).collect();
        let reply = self.product.clone().get_products(GetProductsRequest { ids }).await?.into_inner();
        reply.products.into_iter().filter(|product| !product.deleted).map(on_sale).collect()
    }

    /// Where orders can be paid, one answer for each. A page is made at the first call for it.
    pub async fn payment_pages(
        &self,
        requests: impl Iterator<Item = PageRequest>,
    ) -> Result<Vec<PageAnswer>, Status> {
        let requests: Vec<GetPaymentRequest> = requests.map(Into::into).collect();
        let count = requests.len();
        let request = PaymentPagesRequest { requests };
        let answers = self.payment.clone().get_payment_ur_ls(request).await?.into_inner().answers;
        if answers.len() != count {
            return Err(impossible("payment", "number of answers"));
        }
        answers.into_iter().map(page_answer).collect()
    }

    /// Closes an unpaid payment for good.
    pub async fn cancel_payment(&self, order: OrderId, buyer: UserId) -> Result<PaymentEnd, Status> {
        let request = CancelPaymentRequest { order_id: order.to_u64(), user_id: buyer.to_u64() };
        let reply = self.payment.clone().cancel_payment(request).await?.into_inner();
        Ok(match reply.outcome() {
            CancelOutcome::Cancelled => PaymentEnd::Cancelled,
            CancelOutcome::Paid => PaymentEnd::Paid,
            CancelOutcome::Unknown => PaymentEnd::Unknown,
        })
    }

    /// What became of an order's delivery.
    pub async fn find_delivery(&self, order: OrderId, buyer: UserId) -> Result<KnownDelivery, Status> {
        let request = GetDeliveryByOrderIdRequest { order_id: order.to_u64(), user_id: buyer.to_u64() };
        let reply = match self.delivery.clone().get_delivery_by_order_id(request).await {
            Ok(reply) => reply.into_inner(),
            Err(status) if status.code() == Code::NotFound => return Ok(KnownDelivery::Missing),
            Err(status) => return Err(status),
        };
        let delivery = reply.delivery.ok_or_else(|| impossible("delivery", "delivery"))?;
        if delivery.status == "CANCELLED" {
            return Ok(KnownDelivery::Cancelled);
        }
        let id = delivery.id.try_into().map_err(|_| impossible("delivery", "id"))?;
        Ok(KnownDelivery::Started(id))
    }

    /// Stops a delivery that has not left yet.
    pub async fn cancel_delivery(&self, order: OrderId, buyer: UserId) -> Result<DeliveryEnd, Status> {
        let request = CancelDeliveryRequest { order_id: order.to_u64(), user_id: buyer.to_u64() };
        let reply = self.delivery.clone().cancel_delivery(request).await?.into_inner();
        match reply.outcome() {
            CancelDeliveryOutcome::Cancelled => Ok(DeliveryEnd::Cancelled),
            CancelDeliveryOutcome::Shipped => Ok(DeliveryEnd::Shipped),
            CancelDeliveryOutcome::Unspecified => Err(impossible("delivery", "outcome")),
        }
    }

    /// Gives goods that an order bought back to the stock: once, however often it is asked for.
    pub async fn return_stock(&self, line: StockReturn) -> Result<(), Status> {
        let request = UpdateStockRequest {
            id: line.product_id.to_u64(),
            add: line.quantity.into(),
            order_id: line.order_id.to_u64(),
            reason: RETURN.to_owned(),
            user_id: line.buyer.to_u64(),
        };
        self.product.clone().update_stock(request).await.map(drop)
    }

    /// The highest number of an order that product-service knows; 0 for none.
    pub async fn latest_order(&self) -> Result<i64, Status> {
        let reply = match self.product.clone().get_latest_order(GetLatestOrderRequest {}).await {
            Ok(reply) => reply.into_inner(),
            // One of the version before, as during an upgrade.
            Err(status) if status.code() == Code::Unimplemented => return Ok(0),
            Err(status) => return Err(status),
        };
        i64::try_from(reply.order_id).map_err(|_| impossible("product", "order_id"))
    }
}

impl From<PageRequest> for GetPaymentRequest {
    fn from(PageRequest { order, amount, buyer, lifetime }: PageRequest) -> Self {
        Self {
            order_id: order.to_u64(),
            amount: amount.unsigned_abs(),
            user_id: buyer.to_u64(),
            expires_in_seconds: u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX),
        }
    }
}

fn page_answer(answer: PaymentPageAnswer) -> Result<PageAnswer, Status> {
    match (answer.outcome(), answer.page) {
        (PaymentPageOutcome::Later, _) => Ok(PageAnswer::Later),
        (PaymentPageOutcome::Closed, _) => Ok(PageAnswer::Closed),
        (PaymentPageOutcome::UnknownOrder, _) => Ok(PageAnswer::Unknown),
        (PaymentPageOutcome::Open, Some(page)) => payment_page(page).map(PageAnswer::Open),
        (PaymentPageOutcome::Open, None) => Err(impossible("payment", "page")),
    }
}

fn payment_page(page: GetPaymentResponse) -> Result<PaymentPage, Status> {
    let expires = OffsetDateTime::from_unix_timestamp(page.expires_at);
    let expires = expires.map_err(|_| impossible("payment", "expires_at"))?;
    let lifetime = Duration::from_secs(page.expires_in_seconds.into());
    Ok(PaymentPage { url: page.payment_url, expires, lifetime })
}

fn cart_line(item: &CartItem) -> Result<CartLine, Status> {
    let product_id = item.product_id.try_into().map_err(|_| impossible("cart", "product_id"))?;
    let quantity = i32::try_from(item.quantity).map_err(|_| impossible("cart", "quantity"))?;
    Ok(CartLine { product_id, quantity })
}

fn on_sale(product: ProductResponse) -> Result<(ProductId, OnSale), Status> {
    let id = product.id.try_into().map_err(|_| impossible("product", "id"))?;
    let price = i64::try_from(product.price).map_err(|_| impossible("product", "price"))?;
    Ok((id, OnSale { name: product.name, price }))
}

/// The error where a service answers with what the contract rules out.
fn impossible(service: &str, member: &str) -> Status {
    Status::internal(format!("{service}-service answered with an impossible {member}"))
}
