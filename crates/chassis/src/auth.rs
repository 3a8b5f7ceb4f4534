//! Who is asking. [`User`] and [`Admin`] are parameters of handlers: a handler without one is visibly public.

mod sessions;

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{header::AUTHORIZATION, request::Parts},
};
use contracts::UserId;
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    errors::{Error, ErrorKind},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use sessions::Sessions;

use crate::{Code, Codes, Problem, Refuses};

/// Who issues tokens.
pub const ISSUER: &str = "user-service";
/// Whom they are for.
pub const AUDIENCE: &str = "shop";
/// How far clocks may differ, in seconds.
const LEEWAY: u64 = 10;

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Role {
    /// Buys.
    User,
    /// Runs the shop.
    Admin,
}

/// The claims of an access token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    /// The account.
    #[serde(rename = "userID")]
    pub user_id: UserId,
    /// Its email address.
    pub email: String,
    /// Its name.
    pub username: String,
    /// Its role.
    pub role: Role,
    /// The session, which can be ended before the token expires.
    pub sid: String,
    /// When it was issued: Unix time in seconds.
    pub iat: i64,
    /// When it expires: Unix time in seconds.
    pub exp: i64,
    /// [`ISSUER`].
    pub iss: String,
    /// [`AUDIENCE`].
    pub aud: String,
}

/// Signs and verifies access tokens.
#[derive(Clone)]
pub struct Tokens {
    keys: Arc<Keys>,
    sessions: Sessions,
}

struct Keys {
    signing: EncodingKey,
    verifying: DecodingKey,
    /// Verifies tokens that were signed before the secret was replaced.
    previous: Option<DecodingKey>,
}

impl Tokens {
    /// Tokens signed with a secret, refused once their session is in the list. Those that the previous secret signed count
    /// as well.
    pub fn new(secret: &SecretString, previous: Option<&SecretString>, sessions: Sessions) -> Self {
        let verifying = |secret: &SecretString| DecodingKey::from_secret(secret.expose_secret().as_bytes());
        let keys = Keys {
            signing: EncodingKey::from_secret(secret.expose_secret().as_bytes()),
            verifying: verifying(secret),
            previous: previous.map(verifying),
        };
        Self { keys: Arc::new(keys), sessions }
    }

    /// An access token.
    ///
    /// # Errors
    /// Only if the claims do not serialise.
    pub fn sign(&self, claims: &Claims) -> Result<String, Error> {
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &self.keys.signing)
    }

    /// The claims of a token that counts.
    ///
    /// # Errors
    /// 401 for anything else, with one detail for all forgeries.
    pub fn verify(&self, token: &str) -> Result<Claims, Problem> {
        let claims = self.decode(token).map_err(|error| {
            Problem::unauthorized("The token is not valid or has expired.").caused_by(error)
        })?;
        if self.sessions.has_ended(&claims.sid) {
            return Err(Problem::unauthorized("The session has ended; log in again."));
        }
        Ok(claims)
    }

    fn decode(&self, token: &str) -> Result<Claims, Error> {
        let rules = rules();
        let decode = |key| jsonwebtoken::decode::<Claims>(token, key, &rules).map(|token| token.claims);
        match (decode(&self.keys.verifying), &self.keys.previous) {
            (Err(error), Some(previous)) if *error.kind() == ErrorKind::InvalidSignature => decode(previous),
            (outcome, _) => outcome,
        }
    }

    /// The sessions that ended.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }
}

fn rules() -> Validation {
    let mut rules = Validation::new(Algorithm::HS256);
    rules.leeway = LEEWAY;
    rules.validate_nbf = true;
    rules.set_issuer(&[ISSUER]);
    rules.set_audience(&[AUDIENCE]);
    rules.set_required_spec_claims(&["exp", "iss", "aud"]);
    rules
}

/// Someone who is logged in, whatever the role.
#[derive(Debug, Clone)]
pub struct User(pub Claims);

/// An administrator who is logged in.
#[derive(Debug, Clone)]
pub struct Admin(pub Claims);

impl User {
    /// The account.
    pub fn id(&self) -> UserId {
        self.0.user_id
    }

    /// Whether it is an administrator's.
    pub fn is_admin(&self) -> bool {
        self.0.role == Role::Admin
    }

    /// Whose things this user may see: `None` for everybody's. For SQL's `user_id = coalesce($n, user_id)`.
    pub fn scope(&self) -> Option<UserId> {
        (!self.is_admin()).then_some(self.0.user_id)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for User {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let tokens = parts.extensions.get::<Tokens>();
        let tokens = tokens.ok_or_else(|| Problem::internal("the router was built without chassis::http"))?;
        let token =
            bearer(parts).ok_or_else(|| Problem::unauthorized("Log in first: a bearer token is needed."))?;
        tokens.verify(token).map(Self)
    }
}

impl Refuses for Admin {
    const CODES: Codes = &[&Code::Forbidden];
}

impl<S: Send + Sync> FromRequestParts<S> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let user = User::from_request_parts(parts, state).await?;
        if user.is_admin() {
            Ok(Self(user.0))
        } else {
            Err(Problem::new(Code::Forbidden, "Only an administrator may do this."))
        }
    }
}

impl<S: Send + Sync> axum::extract::OptionalFromRequestParts<S> for User {
    type Rejection = Problem;

    /// Nobody, or somebody; a token that does not count is still refused.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Problem> {
        if !parts.headers.contains_key(AUTHORIZATION) {
            return Ok(None);
        }
        <Self as FromRequestParts<S>>::from_request_parts(parts, state).await.map(Some)
    }
}

fn bearer(parts: &Parts) -> Option<&str> {
    let (scheme, token) = parts.headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: fn() -> i64 = || time::OffsetDateTime::now_utc().unix_timestamp();

    fn claims() -> Claims {
        Claims {
            user_id: UserId::try_from(7_i64).unwrap(),
            email: "ani@example.com".to_owned(),
            username: "ani".to_owned(),
            role: Role::User,
            sid: "s-1".to_owned(),
            iat: NOW(),
            exp: NOW() + 900,
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
        }
    }

    fn tokens(secret: &str) -> Tokens {
        Tokens::new(&SecretString::from(secret), None, Sessions::default())
    }

    #[test]
    fn a_token_counts_only_if_it_is_ours_fresh_and_for_us() {
        let ours = tokens("secret");
        assert_eq!(ours.verify(&ours.sign(&claims()).unwrap()).unwrap().user_id.get(), 7);

        let refused = |claims: Claims| ours.verify(&ours.sign(&claims).unwrap()).is_err();
        assert!(refused(Claims { exp: NOW() - 31, ..claims() }));
        assert!(refused(Claims { iss: "someone".to_owned(), ..claims() }));
        assert!(refused(Claims { aud: "elsewhere".to_owned(), ..claims() }));
        assert!(ours.verify(&tokens("other").sign(&claims()).unwrap()).is_err());
        // {"alg":"none","typ":"JWT"} with an admin's claims and no signature.
        assert!(
            ours.verify("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJ1c2VySUQiOjEsInJvbGUiOiJhZG1pbiJ9.").is_err()
        );
    }

    #[test]
    fn a_token_of_an_ended_session_is_refused() {
        let ours = tokens("secret");
        let token = ours.sign(&claims()).unwrap();
        ours.sessions().end("s-1".to_owned());
        assert!(ours.verify(&token).is_err());
    }
}
