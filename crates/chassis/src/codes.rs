//! Error codes: what a program distinguishes refusals by. A service has one enum of them, written with [`codes!`](crate::codes!); a
//! [`Problem`](crate::Problem) is made from a code, and what a route [`Refuses`] is how its OpenAPI document names them.

use axum::http::StatusCode;

/// One reason to refuse a request. The code and its status never change once published; the sentence may.
pub trait ErrorCode: Send + Sync {
    /// The HTTP status of the answer, 400 or more.
    fn status(&self) -> StatusCode;
    /// The code on the wire, such as `price_changed`. Several reasons may share one, such as `not_found`.
    fn as_str(&self) -> &'static str;
    /// One sentence for people: the description in the OpenAPI document, and the detail unless there is a better one.
    fn about(&self) -> &'static str;
}

/// Reasons that a route, an extractor or an error may refuse with, of this service or of any.
pub type Codes = &'static [&'static dyn ErrorCode];

/// What can refuse a request: an extractor, or the error of a use case. Handlers name such types in their
/// `#[utoipa::path]` as [`Refusals`](crate::http::Refusals).
pub trait Refuses {
    /// The codes of all problems it becomes, but for those that every route of its form has: 401 with a token, 400, 413
    /// and 415 with a body, 503 when the shop is partly away.
    const CODES: Codes;
}

impl Refuses for () {
    const CODES: Codes = &[];
}

/// Declares an enum of error codes with its [`ErrorCode`]: a sentence, a name, a constant of [`StatusCode`], the code.
/// A module `code` beside it has each of them as a type.
///
/// ```
/// chassis::codes! {
///     /// Why this service refuses a request.
///     pub enum Code {
///         /// The order costs something else than expected.
///         PriceChanged(CONFLICT, "price_changed"),
///     }
/// }
/// ```
#[macro_export]
macro_rules! codes {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $($(#[doc = $about:literal])+ $variant:ident($status:ident, $code:literal),)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $vis enum $name {
            $($(#[doc = $about])+ $variant,)+
        }

        impl $name {
            /// All of them: each has to be documented by a route.
            pub const ALL: $crate::Codes = &[$(&Self::$variant),+];
        }

        /// Each code as a type, for [`Refusals`]($crate::http::Refusals).
        $vis mod code {
            $(
                $(#[doc = $about])+
                #[derive(Debug)]
                pub enum $variant {}

                impl $crate::Refuses for $variant {
                    const CODES: $crate::Codes = &[&super::$name::$variant];
                }
            )+
        }

        impl $crate::ErrorCode for $name {
            fn status(&self) -> $crate::http::StatusCode {
                match self {
                    $(Self::$variant => $crate::http::StatusCode::$status,)+
                }
            }

            fn as_str(&self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                }
            }

            fn about(&self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($about),+).trim_ascii_start(),)+
                }
            }
        }
    };
}

codes! {
    /// Why any service refuses a request, whatever it is about.
    pub enum Code {
        /// Some members are not valid.
        Invalid(BAD_REQUEST, "invalid"),
        /// The input cannot be read at all.
        Malformed(BAD_REQUEST, "malformed"),
        /// No token, or one that is not valid, has expired, or whose session has ended.
        Unauthorized(UNAUTHORIZED, "unauthorized"),
        /// The role does not allow it.
        Forbidden(FORBIDDEN, "forbidden"),
        /// There is nothing at this path.
        NotFound(NOT_FOUND, "not_found"),
        /// This path does not take this method; see the Allow header.
        MethodNotAllowed(METHOD_NOT_ALLOWED, "method_not_allowed"),
        /// The body is larger than 64 KiB.
        TooLarge(PAYLOAD_TOO_LARGE, "too_large"),
        /// The body is not application/json, or has a Content-Encoding.
        UnsupportedMediaType(UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
        /// Too many requests: see Retry-After.
        TooManyRequests(TOO_MANY_REQUESTS, "too_many_requests"),
        /// Something went wrong on our side.
        Internal(INTERNAL_SERVER_ERROR, "internal"),
        /// The gateway does not reach the service.
        UpstreamUnavailable(SERVICE_UNAVAILABLE, "upstream_unavailable"),
        /// This took too long; try again.
        DeadlineExceeded(SERVICE_UNAVAILABLE, "deadline_exceeded"),
        /// The database does not answer; try again soon.
        DatabaseUnavailable(SERVICE_UNAVAILABLE, "database_unavailable"),
        /// Redis does not answer; try again soon.
        RedisUnavailable(SERVICE_UNAVAILABLE, "redis_unavailable"),
    }
}
