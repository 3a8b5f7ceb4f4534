//! The staff: people who run a part of the shop. Each part has an extractor, as [`Admin`](super::Admin) is one: a handler
//! with [`Finance`] as a parameter is for administrators and for whoever has that role.

use std::{fmt, str::FromStr, sync::Arc};

use axum::{extract::FromRequestParts, http::request::Parts};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Claims, User};
use crate::{Code, Codes, Problem, Refuses};

/// A part of the shop that somebody runs beside buying in it. An administrator runs all of them.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type, ToSchema,
)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum StaffRole {
    /// What is sold, how many of it there are, and for how much.
    Catalogue,
    /// Deliveries.
    Fulfilment,
    /// Money that goes back, and what is to be decided about money that has come.
    Finance,
    /// What customers ask about: orders, payments, deliveries and what they were sent, to be looked at.
    Support,
}

impl StaffRole {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Catalogue, Self::Fulfilment, Self::Finance, Self::Support];

    /// As in tokens, documents and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Catalogue => "catalogue",
            Self::Fulfilment => "fulfilment",
            Self::Finance => "finance",
            Self::Support => "support",
        }
    }
}

impl fmt::Display for StaffRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no role.
#[derive(Debug, thiserror::Error)]
#[error("must be catalogue, fulfilment, finance or support")]
pub struct UnknownRole;

impl FromStr for StaffRole {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(UnknownRole)
    }
}

macro_rules! staff {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone)]
            pub struct $name(pub Arc<Claims>);

            impl Refuses for $name {
                const CODES: Codes = &[&Code::Forbidden];
            }

            impl<S: Send + Sync> FromRequestParts<S> for $name {
                type Rejection = Problem;

                async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
                    let user = User::from_request_parts(parts, state).await?;
                    if user.runs(StaffRole::$name) {
                        Ok(Self(user.0))
                    } else {
                        let detail = format!("Only an administrator or {} may do this.", StaffRole::$name);
                        Err(Problem::new(Code::Forbidden, detail))
                    }
                }
            }
        )+
    };
}

staff! {
    /// Somebody who may change what the shop sells.
    Catalogue,
    /// Somebody who may move deliveries.
    Fulfilment,
    /// Somebody who may give money back.
    Finance,
    /// Somebody who may see to what customers ask about.
    Support,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_the_wire() {
        for role in StaffRole::ALL {
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
            assert_eq!(role.as_str().parse::<StaffRole>().unwrap(), role);
        }
        assert!("admin".parse::<StaffRole>().is_err());
    }
}
