//! Changes of the free stock, as the record of them (`stock_movements`) has them.

use contracts::{OrderId, ProductId};

use super::allocation::Line;

#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Reason {
    Seed,
    /// An administrator, or a gRPC call without an order.
    Admin,
    /// Units were set aside for an order.
    Hold,
    /// The order of a hold ended unpaid.
    Release,
    /// A hold was paid for. Its units left the free stock before, so the delta is 0.
    Sale,
    /// Goods of a paid order came back, or never left.
    Return,
}

/// One change of the free stock of one product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Movement {
    /// `None` exactly if the reason is [`Reason::Seed`] or [`Reason::Admin`].
    pub order_id: Option<OrderId>,
    pub product_id: ProductId,
    /// Units that became free; negative if they are free no more.
    pub delta: i64,
}

impl Movement {
    /// What happens to the stock when this happens to a line of an order.
    pub const fn of_order(order_id: OrderId, line: &Line, reason: Reason) -> Self {
        let delta = match reason {
            Reason::Hold => -line.quantity,
            Reason::Sale => 0,
            Reason::Seed | Reason::Admin | Reason::Release | Reason::Return => line.quantity,
        };
        Self { order_id: Some(order_id), product_id: line.product_id, delta }
    }
}
