//! Typed ids. On the wire and in the databases they are positive integers; in memory an order is never mistaken for
//! a user.

use std::{fmt, num::ParseIntError, str::FromStr};

use serde::{Deserialize, Serialize};

/// Why a number is not an id.
#[derive(Debug, thiserror::Error)]
pub enum InvalidId {
    /// Not a number that fits 64 bits.
    #[error("must be a positive integer")]
    NotANumber(#[from] ParseIntError),
    /// Zero, negative, or beyond what a database id can hold.
    #[error("must be a positive integer")]
    OutOfRange,
}

macro_rules! id {
    ($name:ident, $doc:literal) => {
        #[doc = $doc]
        #[derive(
            Clone,
            Copy,
            Debug,
            PartialEq,
            Eq,
            Hash,
            PartialOrd,
            Ord,
            Serialize,
            Deserialize,
            sqlx::Type,
            utoipa::ToSchema,
        )]
        #[serde(try_from = "i64", into = "i64")]
        #[sqlx(transparent)]
        #[schema(value_type = i64, minimum = 1, maximum = 9_223_372_036_854_775_807_i64, example = 1)]
        pub struct $name(i64);

        impl $name {
            /// The plain number, for SQL and gRPC.
            pub const fn get(self) -> i64 {
                self.0
            }

            /// The number as gRPC carries it.
            pub const fn to_u64(self) -> u64 {
                self.0.unsigned_abs()
            }
        }

        impl TryFrom<i64> for $name {
            type Error = InvalidId;

            fn try_from(id: i64) -> Result<Self, InvalidId> {
                if id > 0 { Ok(Self(id)) } else { Err(InvalidId::OutOfRange) }
            }
        }

        impl TryFrom<u64> for $name {
            type Error = InvalidId;

            fn try_from(id: u64) -> Result<Self, InvalidId> {
                i64::try_from(id).map_err(|_| InvalidId::OutOfRange)?.try_into()
            }
        }

        impl From<$name> for i64 {
            fn from(id: $name) -> i64 {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.parse::<i64>()?.try_into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(UserId, "An account of user-service.");
id!(SessionId, "A session of user-service, as its owner's list of sessions names it.");
id!(AddressId, "An entry of an address book of user-service.");
id!(ProductId, "A product of product-service.");
id!(CategoryId, "A category of product-service.");
id!(OrderId, "An order of order-service; also what its payment, hold and delivery are found by.");
id!(DeliveryId, "A delivery of delivery-service.");
id!(NotificationId, "A notification of notification-service.");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_positive_integer() {
        assert_eq!("7".parse::<OrderId>().unwrap().get(), 7);
        for bad in ["0", "-1", "x", "", "9223372036854775808", "1.0"] {
            assert!(bad.parse::<OrderId>().is_err(), "{bad}");
        }
        assert!(OrderId::try_from(u64::MAX).is_err());
        assert!(serde_json::from_str::<OrderId>("0").is_err());
    }
}
