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
            CancelOutcome, CancelPaymentRequest, GetPaymentRequest,
            payment_service_client::PaymentServiceClient,
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

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct Clients {
    cart: CartServiceClient<PeerChannel>,
    product: ProductServiceClient<PeerChannel>,
    payment: PaymentServiceClient<PeerChannel>,
    delivery: DeliveryServiceClient<PeerChannel>,
}

/// payment-service's answer to where an order can be paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageAnswer {
    Open(PaymentPage),
    /// The payment is closed.
    Closed,
    /// It has not consumed the order's `OrderCreated` yet.
    NotYet,
}

/// payment-service's answer to a request to close a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentEnd {
    /// Closed for good.
    Cancelled,
    /// It was paid before.
    Paid,
    /// Midtrans does not answer: nothing has changed.
    Unknown,
}

/// delivery-service's answer to a request to stop a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryEnd {
    /// It will not leave.
    Cancelled,
    /// It has left.
    Shipped,
}

/// What delivery-service knows of an order's delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownDelivery {
    /// There is none.
    Missing,
    /// It goes on.
    Started(DeliveryId),
    /// It was stopped.
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

    /// Where an order can be paid. The page is made at the first call, with this lifetime at most; zero for the usual one.
    pub async fn payment_page(
        &self,
        order: OrderId,
        amount: i64,
        buyer: UserId,
        lifetime: Duration,
    ) -> Result<PageAnswer, Status> {
        let request = GetPaymentRequest {
            order_id: order.to_u64(),
            amount: amount.unsigned_abs(),
            user_id: buyer.to_u64(),
            expires_in_seconds: u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX),
        };
        let reply = match self.payment.clone().get_payment_url(request).await {
            Ok(reply) => reply.into_inner(),
            Err(status) if status.code() == Code::FailedPrecondition => return Ok(PageAnswer::Closed),
            Err(status) if status.code() == Code::NotFound => return Ok(PageAnswer::NotYet),
            Err(status) => return Err(status),
        };
        let expires = OffsetDateTime::from_unix_timestamp(reply.expires_at)
            .map_err(|_| impossible("payment", "expires_at"))?;
        let left = match reply.expires_in_seconds {
            0 => Duration::try_from(expires - OffsetDateTime::now_utc()).unwrap_or_default(),
            seconds => Duration::from_secs(seconds.into()),
        };
        Ok(PageAnswer::Open(PaymentPage { url: reply.payment_url, expires, lifetime: left }))
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

/// A service broke the contract.
fn impossible(service: &str, member: &str) -> Status {
    Status::internal(format!("{service}-service answered with an impossible {member}"))
}
