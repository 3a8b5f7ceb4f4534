//! Tokens that must not count, made from one that does.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::harness::Open;

pub fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// A token with these claims, signed with a secret.
pub fn sign(claims: &Value, algorithm: Algorithm, secret: &str) -> String {
    jsonwebtoken::encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret.as_bytes()))
        .unwrap()
}

/// Every way to forge this token, with its name.
pub fn forgeries(open: &Open, token: &str) -> Vec<(&'static str, String)> {
    let secret = open.shop.settings().get("JWT_SECRET");
    let with = |member: &str, value: Value| {
        let mut claims = claims(token);
        claims[member] = value;
        sign(&claims, Algorithm::HS256, secret)
    };
    let without = |member: &str| {
        let mut claims = claims(token);
        claims.as_object_mut().unwrap().remove(member);
        sign(&claims, Algorithm::HS256, secret)
    };
    // Clocks may differ by 30 s at most.
    let expired = claims(token)["iat"].as_i64().unwrap() - 31;
    let (head, signature) = token.rsplit_once('.').unwrap();
    let payload = head.split_once('.').unwrap().1;
    let none = URL_SAFE_NO_PAD.encode(json!({"alg": "none", "typ": "JWT"}).to_string());
    let mut promoted = claims(token);
    promoted["role"] = json!("admin");
    promoted["userID"] = json!(1);
    let promoted = URL_SAFE_NO_PAD.encode(promoted.to_string());
    let ours = head.split_once('.').unwrap().0;
    vec![
        ("expired", with("exp", json!(expired))),
        ("without an end", without("exp")),
        ("without an issuer", without("iss")),
        ("without an audience", without("aud")),
        ("without a session", without("sid")),
        ("of another issuer", with("iss", json!("somebody"))),
        ("for another audience", with("aud", json!("elsewhere"))),
        ("not yet valid", with("nbf", json!(expired + 3600))),
        (
            "signed with another secret",
            sign(&claims(token), Algorithm::HS256, "another secret of 32 characters!"),
        ),
        ("signed with an empty secret", sign(&claims(token), Algorithm::HS256, "")),
        ("of another algorithm", sign(&claims(token), Algorithm::HS512, secret)),
        ("with algorithm none", format!("{none}.{payload}.")),
        ("with algorithm none and a signature", format!("{none}.{payload}.{signature}")),
        ("with changed claims", format!("{ours}.{promoted}.{signature}")),
        ("without a signature", format!("{head}.")),
        ("cut short", head.to_owned()),
        ("no token at all", "nonsense".to_owned()),
    ]
}
