//! Tests of who is asking.

use super::*;

const NOW: fn() -> i64 = || OffsetDateTime::now_utc().unix_timestamp();

fn claims() -> Claims {
    Claims {
        user_id: UserId::try_from(7_i64).unwrap(),
        email: "ani@example.com".to_owned(),
        username: "ani".to_owned(),
        role: Role::User,
        roles: Vec::new(),
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
fn somebody_runs_what_their_token_says_and_an_administrator_runs_everything() {
    let user = |role, roles: &[&str]| {
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        User(Arc::new(Claims { role, roles, ..claims() }))
    };
    let finance = user(Role::User, &["finance", "one of a later version"]);
    assert!(finance.runs(StaffRole::Finance) && !finance.runs(StaffRole::Support));
    assert_eq!(finance.scope(&[StaffRole::Support, StaffRole::Finance]), None);
    assert_eq!(finance.scope(&[StaffRole::Support]), Some(finance.id()));
    assert!(StaffRole::ALL.into_iter().all(|role| user(Role::Admin, &[]).runs(role)));
    assert!(!StaffRole::ALL.into_iter().any(|role| user(Role::User, &["admin"]).runs(role)));
    assert!(!user(Role::User, &["admin"]).is_admin(), "`role` alone makes an administrator");
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
