//! From an HTTP answer to a value or an [`Error`]: the rule of section 3.1.
//!
//! The Core API answers most business errors with HTTP 200 and the real code as a string in the body; Snap uses real
//! HTTP codes and has no code in its body. A gateway in front of either may answer in HTML.

use reqwest::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Error, lenient};

/// An answer that is JSON, with its effective code.
pub(crate) struct Reply {
    pub(crate) code: u16,
    body: Value,
}

/// The members errors are described with; Core API and Snap differ.
#[derive(Default, Deserialize)]
struct Explanation {
    #[serde(default, deserialize_with = "lenient::optional")]
    status_message: Option<String>,
    #[serde(default, deserialize_with = "lenient::list")]
    validation_messages: Vec<String>,
    #[serde(default, deserialize_with = "lenient::list")]
    error_messages: Vec<String>,
}

impl Reply {
    /// Applies the rule: the code in the body counts, the HTTP status stands in where there is none, and an HTTP error
    /// stays one whatever the body says.
    pub(crate) fn read(http: StatusCode, body: &[u8]) -> Result<Self, Error> {
        let not_json = || Error::unavailable(format!("HTTP {} without a JSON body", http.as_u16()));
        let body: Value = serde_json::from_slice(body).map_err(|_| not_json())?;
        if !body.is_object() {
            return Err(not_json());
        }
        let in_body = body.get("status_code").and_then(|code| match code {
            Value::String(code) => code.parse().ok(),
            code => code.as_u64().and_then(|code| code.try_into().ok()),
        });
        let code = in_body.unwrap_or(http.as_u16());
        let code = if code < 400 && http.as_u16() >= 400 { http.as_u16() } else { code };
        Ok(Self { code, body })
    }

    /// The value, or the error the code stands for. 407 is no error: it says that the transaction has expired.
    pub(crate) fn into_value<T: DeserializeOwned>(self) -> Result<T, Error> {
        if self.code >= 300 && self.code != 407 {
            return Err(self.into_error());
        }
        serde_json::from_value(self.body)
            .map_err(|fault| Error::unavailable(format!("an answer that does not fit: {fault}")))
    }

    pub(crate) fn messages(&self) -> Vec<String> {
        let told = Explanation::deserialize(&self.body).unwrap_or_default();
        let details = [told.error_messages, told.validation_messages].concat();
        if details.is_empty() { told.status_message.into_iter().collect() } else { details }
    }

    pub(crate) fn into_error(self) -> Error {
        let messages = self.messages();
        let message = || messages.join("; ");
        match self.code {
            401 | 402 => Error::Unauthorized { code: self.code, message: message() },
            404 => Error::NotFound(message()),
            406 => Error::Conflict(message()),
            412 => Error::CannotUpdate(message()),
            414 => Error::RefundRejected(message()),
            429 => Error::RateLimited,
            400 if messages.iter().any(|text| says_order_id_taken(text)) => Error::DuplicateOrderId(messages),
            code @ 400..500 => Error::Rejected { code, messages },
            code => Error::unavailable(format!("code {code} {}", message())),
        }
    }
}

/// The wording differs by language and age of the API, and only `order_id` is common to all (section 2.1). What is left
/// out are complaints about the id itself.
fn says_order_id_taken(message: &str) -> bool {
    const ABOUT_THE_ID_ITSELF: [&str; 4] = ["required", "long", "invalid", "character"];
    message.contains("order_id") && !ABOUT_THE_ID_ITSELF.iter().any(|word| message.contains(word))
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;
    use serde_json::Value;

    use super::Reply;
    use crate::Error;

    fn outcome(http: u16, body: &str) -> Result<Value, Error> {
        Reply::read(StatusCode::from_u16(http).unwrap(), body.as_bytes()).and_then(Reply::into_value)
    }

    #[test]
    fn the_code_in_the_body_counts_more_than_the_http_status() {
        let body = r#"{"status_code":"404","status_message":"Transaction doesn't exist.","id":"7"}"#;
        assert!(
            matches!(outcome(200, body), Err(Error::NotFound(text)) if text == "Transaction doesn't exist.")
        );
        assert!(matches!(outcome(404, body), Err(Error::NotFound(_))));
    }

    #[test]
    fn expired_is_an_answer_and_not_an_error() {
        assert!(outcome(200, r#"{"status_code":"407","transaction_status":"expire"}"#).is_ok());
    }

    #[test]
    fn an_http_error_is_never_a_success() {
        let error = outcome(500, r#"{"status_code":"200"}"#).unwrap_err();
        assert!(error.is_retryable(), "{error}");
    }

    #[test]
    fn a_missing_route_is_not_found() {
        let body = r#"{"timestamp":"2024-05-17T06:24:01.223+0000","status":404,"error":"Not Found"}"#;
        assert!(matches!(outcome(404, body), Err(Error::NotFound(_))));
    }

    #[test]
    fn every_code_becomes_the_error_its_reader_needs() {
        let error = |code: &str| outcome(200, &format!(r#"{{"status_code":"{code}"}}"#)).unwrap_err();
        assert!(matches!(error("401"), Error::Unauthorized { code: 401, .. }));
        assert!(matches!(error("402"), Error::Unauthorized { code: 402, .. }));
        assert!(matches!(error("406"), Error::Conflict(_)));
        assert!(matches!(error("412"), Error::CannotUpdate(_)));
        assert!(matches!(error("413"), Error::Rejected { code: 413, .. }));
        assert!(matches!(error("414"), Error::RefundRejected(_)));
        assert!(matches!(error("429"), Error::RateLimited));
        assert!(matches!(error("500"), Error::Unavailable { .. }));
        assert!(matches!(error("505"), Error::Unavailable { .. }));
    }

    #[test]
    fn only_a_busy_or_silent_midtrans_is_worth_a_retry() {
        for (code, retryable) in
            [("401", false), ("404", false), ("406", false), ("412", false), ("429", true), ("503", true)]
        {
            let error = outcome(200, &format!(r#"{{"status_code":"{code}"}}"#)).unwrap_err();
            assert_eq!(error.is_retryable(), retryable, "{code}");
        }
    }

    #[test]
    fn whatever_is_not_a_json_object_means_unavailable() {
        for body in ["<html>502</html>", "", "null", "[]"] {
            for http in [200, 404, 502] {
                assert!(matches!(outcome(http, body), Err(Error::Unavailable { .. })), "{http} {body}");
            }
        }
    }

    #[test]
    fn a_taken_order_id_is_told_apart_in_every_wording() {
        for text in [
            "transaction_details.order_id has already been taken",
            "transaction_details.order_id sudah digunakan",
            "transaction_details.order_id has been paid and utilized, please use another order ID",
        ] {
            let body = format!(r#"{{"error_messages":["{text}"]}}"#);
            assert!(matches!(outcome(400, &body), Err(Error::DuplicateOrderId(_))), "{text}");
        }
    }

    #[test]
    fn other_faults_of_a_request_are_listed() {
        let body = r#"{"error_messages":["transaction_details.order_id is required","another"]}"#;
        match outcome(400, body) {
            Err(Error::Rejected { code: 400, messages }) => assert_eq!(messages.len(), 2),
            other => panic!("{other:?}"),
        }
    }
}
