//! Entries of an address book: what an address says, and which one is the default.

use chassis::rules::{country_code, country_schema, not_blank};
use contracts::AddressId;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many addresses one account may keep.
pub const MAX_ADDRESSES: i64 = 20;

/// What an address says; all of it is replaced by a change.
#[derive(Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAddress)]
pub struct AddressMembers {
    /// What its owner calls it, such as "Home".
    #[garde(inner(length(chars, min = 1, max = 200), custom(not_blank)))]
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
        example = "Home"
    )]
    pub label: Option<String>,
    /// The name of the person who receives parcels.
    #[garde(length(chars, min = 1, max = 200), custom(not_blank))]
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
        example = "Ani Wijaya"
    )]
    pub recipient: String,
    /// The telephone number of the recipient.
    #[garde(length(chars, min = 1, max = 200), custom(not_blank))]
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
        example = "+62 812 3456 7890"
    )]
    pub phone: String,
    /// Street and number.
    #[garde(length(chars, min = 1, max = 200), custom(not_blank))]
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
        example = "Jalan Merdeka 17"
    )]
    pub street: String,
    /// The city or town of the address.
    #[garde(length(chars, min = 1, max = 200), custom(not_blank))]
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
        example = "Bandung"
    )]
    pub city: String,
    /// The province or state, where there is one.
    #[garde(inner(length(chars, min = 1, max = 200), custom(not_blank)))]
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
        example = "Jawa Barat"
    )]
    pub province: Option<String>,
    /// Postal code.
    #[garde(length(chars, min = 1, max = 200), custom(not_blank))]
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
        example = "40111"
    )]
    pub postal_code: String,
    /// ISO 3166-1 alpha-2 code, in capitals.
    #[garde(custom(country_code))]
    #[schema(schema_with = country_schema)]
    pub country: String,
    /// Whether it is the one to ship to unless told otherwise; making one the default takes it from the other. If
    /// left out: for a new address true if it is the first, and for an existing one as it was.
    #[garde(skip)]
    #[schema(example = true)]
    pub is_default: Option<bool>,
}

/// An entry of an address book.
#[derive(Clone, Serialize, ToSchema)]
pub struct Address {
    /// The number of the address.
    pub id: AddressId,
    /// What its owner calls it, such as "Home".
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 200, example = "Home")]
    pub label: Option<String>,
    /// The name of the person who receives parcels.
    #[schema(min_length = 1, max_length = 200, example = "Ani Wijaya")]
    pub recipient: String,
    /// The telephone number of the recipient.
    #[schema(min_length = 1, max_length = 200, example = "+62 812 3456 7890")]
    pub phone: String,
    /// Street and number.
    #[schema(min_length = 1, max_length = 200, example = "Jalan Merdeka 17")]
    pub street: String,
    /// The city or town of the address.
    #[schema(min_length = 1, max_length = 200, example = "Bandung")]
    pub city: String,
    /// The province or state, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 200, example = "Jawa Barat")]
    pub province: Option<String>,
    /// Postal code.
    #[schema(min_length = 1, max_length = 200, example = "40111")]
    pub postal_code: String,
    /// ISO 3166-1 alpha-2 code.
    #[schema(pattern = "^[A-Z]{2}$", example = "ID")]
    pub country: String,
    /// Whether it is the one to ship to unless told otherwise.
    #[schema(example = true)]
    pub is_default: bool,
}
