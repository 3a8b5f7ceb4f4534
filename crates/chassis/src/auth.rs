//! Who is asking. [`User`], [`Admin`] and the roles of the staff are parameters of handlers: a handler without one is
//! visibly public.

mod sessions;
mod staff;
#[cfg(test)]
mod tests;

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
use quick_cache::sync::Cache;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

pub use sessions::Sessions;
pub use staff::{Catalogue, Finance, Fulfilment, StaffRole, Support, UnknownRole};

use crate::{Code, Codes, Problem, Refuses};

/// The `iss` of every access token: only user-service issues them.
pub const ISSUER: &str = "user-service";
/// The `aud` of every access token: any service of the shop.
pub const AUDIENCE: &str = "shop";
/// How far clocks may differ, in seconds.
const LEEWAY: u64 = 10;
/// How many verified tokens are remembered; each takes less than 1 KiB.
const VERIFIED_TOKENS: usize = 4_096;

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

impl Role {
    /// As in tokens, documents and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
        }
    }
}

/// The claims of an access token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    /// The id of the account. Its name on the wire is older than our style.
    #[serde(rename = "userID")]
    pub user_id: UserId,
    /// The e-mail address when the token was issued; the account may have another by now.
    pub email: String,
    /// The name when the token was issued.
    pub username: String,
    /// The role when the token was issued.
    pub role: Role,
    /// What the account runs beside buying. Texts, so that a role which only a later version knows does not make the token
    /// unreadable.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Whether the account's owner had shown by then that the e-mail address is theirs. Tokens of older versions do not say.
    #[serde(default)]
    pub email_verified: bool,
    /// The session, which can be ended before the token expires.
    pub sid: String,
    /// When it was issued: Unix time in seconds.
    pub iat: i64,
    /// When it expires: Unix time in seconds.
    pub exp: i64,
    /// Always [`ISSUER`]; any other is refused.
    pub iss: String,
    /// Always [`AUDIENCE`]; any other is refused.
    pub aud: String,
}

/// Signs access tokens (JWT, HS256), and verifies them without asking anybody.
#[derive(Clone)]
pub struct Tokens {
    keys: Arc<Keys>,
    /// Signatures that were found right, by the text of the token. Whether the token still counts is asked every time.
    verified: Arc<Cache<String, Arc<Claims>>>,
    sessions: Sessions,
}

struct Keys {
    rules: Validation,
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
            rules: rules(),
            signing: EncodingKey::from_secret(secret.expose_secret().as_bytes()),
            verifying: verifying(secret),
            previous: previous.map(verifying),
        };
        Self { keys: Arc::new(keys), verified: Arc::new(Cache::new(VERIFIED_TOKENS)), sessions }
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
    pub fn verify(&self, token: &str) -> Result<Arc<Claims>, Problem> {
        self.verify_at(OffsetDateTime::now_utc().unix_timestamp(), token)
    }

    fn verify_at(&self, now: i64, token: &str) -> Result<Arc<Claims>, Problem> {
        let claims = self.verified.get_or_insert_with(token, || self.decode(token).map(Arc::new));
        let claims = claims.map_err(invalid_token)?;
        let refusal = if claims.exp < now - LEEWAY.cast_signed() {
            invalid_token(ErrorKind::ExpiredSignature.into())
        } else if self.sessions.has_ended(&claims.sid) {
            Problem::unauthorized("The session has ended; log in again.")
        } else {
            return Ok(claims);
        };
        self.verified.remove(token);
        Err(refusal)
    }

    fn decode(&self, token: &str) -> Result<Claims, Error> {
        let decode =
            |key| jsonwebtoken::decode::<Claims>(token, key, &self.keys.rules).map(|token| token.claims);
        match (decode(&self.keys.verifying), &self.keys.previous) {
            (Err(error), Some(previous)) if *error.kind() == ErrorKind::InvalidSignature => decode(previous),
            (outcome, _) => outcome,
        }
    }

    /// The sessions that ended lately, whose tokens are refused.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }
}

fn invalid_token(error: Error) -> Problem {
    Problem::unauthorized("The token is not valid or has expired.").caused_by(error)
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
pub struct User(pub Arc<Claims>);

/// An administrator who is logged in.
#[derive(Debug, Clone)]
pub struct Admin(pub Arc<Claims>);

impl User {
    /// The account that asks, by the token's subject.
    pub fn id(&self) -> UserId {
        self.0.user_id
    }

    /// Whether the role of the token is [`Role::Admin`].
    pub fn is_admin(&self) -> bool {
        self.0.role == Role::Admin
    }

    /// Whether this user runs a part of the shop; an administrator runs all of them.
    pub fn runs(&self, part: StaffRole) -> bool {
        self.is_admin() || self.0.roles.iter().any(|role| role == part.as_str())
    }

    /// Whose things this user may see: `None` for everybody's, if they run one of these parts of the shop. For SQL's
    /// `user_id = coalesce($n, user_id)`.
    pub fn scope(&self, parts: &[StaffRole]) -> Option<UserId> {
        let sees_all = self.is_admin() || parts.iter().any(|part| self.runs(*part));
        (!sees_all).then_some(self.0.user_id)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for User {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let tokens = parts.extensions.get::<Tokens>();
        let tokens = tokens.ok_or_else(|| Problem::internal("the router was built without chassis::http"))?;
        tokens.verify(bearer(parts)?).map(Self)
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

/// The access token that came with the request, for asking another service in the caller's name. Verified only beside
/// [`User`] or [`Admin`].
#[derive(Debug, Clone)]
pub struct BearerToken(pub SecretString);

impl<S: Send + Sync> FromRequestParts<S> for BearerToken {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self(bearer(parts)?.into()))
    }
}

fn bearer(parts: &Parts) -> Result<&str, Problem> {
    let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header
        .and_then(|header| header.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let token = token.map(|(_, token)| token.trim());
    token.ok_or_else(|| Problem::unauthorized("Log in first: a bearer token is needed."))
}
