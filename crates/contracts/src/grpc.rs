//! The generated gRPC clients and servers, a module per package of `proto/`.

/// All interfaces as an encoded `FileDescriptorSet`, with their comments: for tests and tools that go through them.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

macro_rules! package {
    ($name:ident, $package:literal, $doc:literal) => {
        #[doc = $doc]
        #[allow(
            missing_docs,
            unused_qualifications,
            clippy::pedantic,
            clippy::allow_attributes_without_reason,
            reason = "generated code; the comments of proto/ are carried over"
        )]
        pub mod $name {
            tonic::include_proto!($package);
        }
    };
}

package!(user, "user", "`user.UserService`: how people are reached.");
package!(product, "product", "`product.ProductService`: the catalogue and its stock.");
package!(cart, "cart", "`cart.CartService`: shopping carts.");
package!(payment, "payment", "`payment.PaymentService`: payment pages and their end.");
package!(delivery, "delivery", "`delivery.DeliveryService`: what became of a delivery.");
