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
use quick_cache::sync::Cache;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

pub use sessions::Sessions;

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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: fn() -> i64 = || OffsetDateTime::now_utc().unix_timestamp();

    fn claims() -> Claims {
        Claims {
            user_id: UserId::try_from(7_i64).unwrap(),
            email: "ani@example.com".to_owned(),
            username: "ani".to_owned(),
            role: Role::User,
            email_verified: true,
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
        assert!(ours.verify(&token).is_ok());
        assert_eq!(ours.verified.len(), 1, "it is remembered");
        ours.sessions().end("s-1".to_owned());
        assert!(ours.verify(&token).is_err());
        assert_eq!(ours.verified.len(), 0, "and leaves the memory with its session");
    }

    #[test]
    fn a_remembered_token_expires_in_the_second_in_which_any_other_does() {
        let ours = tokens("secret");
        let claims = claims();
        let (token, last) = (ours.sign(&claims).unwrap(), claims.exp + LEEWAY.cast_signed());
        assert!(ours.verify(&token).is_ok());
        assert!(ours.verify_at(last, &token).is_ok());
        assert!(ours.verify_at(last + 1, &token).is_err());
        assert_eq!(ours.verified.len(), 0);
    }

    #[test]
    fn only_right_tokens_are_remembered_and_only_so_many() {
        let ours = tokens("secret");
        assert!(ours.verify(&tokens("other").sign(&claims()).unwrap()).is_err());
        assert_eq!(ours.verified.len(), 0);
        for n in 0..2 * VERIFIED_TOKENS {
            let token = ours.sign(&Claims { sid: format!("s-{n}"), ..claims() }).unwrap();
            assert_eq!(ours.verify(&token).unwrap().sid, format!("s-{n}"));
        }
        assert!(ours.verified.len() <= VERIFIED_TOKENS, "{}", ours.verified.len());
    }
}
