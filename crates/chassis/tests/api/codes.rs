//! What the documents of services say about refusals: the codes of enums, all of them, and nothing else.

use chassis::{Admin, Code, Codes, Refuses, http::Refusals, limit::TooOften};
use testkit::{Sample, SampleRoutes, undocumented};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::Note;

chassis::codes! {
    pub enum OwnCode {
        /// The note is written
        /// in ink.
        Indelible(CONFLICT, "indelible"),
        /// The note is on fire.
        OnFire(CONFLICT, "on_fire"),
    }
}

struct EraseError;

impl Refuses for EraseError {
    const CODES: Codes = &[&OwnCode::Indelible, &OwnCode::OnFire, &Code::NotFound];
}

/// Erase a note
#[utoipa::path(
    put, path = "/erase", request_body = Note, security(("token" = [])),
    responses((status = 204, description = "Erased"), Refusals<Admin, EraseError, TooOften>)
)]
async fn erase() {}

/// Erase a note, described by hand
#[utoipa::path(
    put, path = "/erase", responses((status = 204, description = "Erased"), (status = 409, description = "`made_up`"))
)]
async fn erase_by_hand() {}

struct Typed;

impl SampleRoutes for Typed {
    fn routes() -> OpenApiRouter {
        OpenApiRouter::new().routes(routes!(erase))
    }
}

struct ByHand;

impl SampleRoutes for ByHand {
    fn routes() -> OpenApiRouter {
        OpenApiRouter::new().routes(routes!(erase_by_hand))
    }
}

#[test]
fn what_types_refuse_is_described_with_every_code() {
    let document = chassis::http::complete(Typed::routes().into_openapi(), "sample", "http://localhost");
    let document = serde_json::to_value(document).unwrap();
    let answers = &document["paths"]["/erase"]["put"]["responses"];
    let conflict = &answers["409"];
    let description = "`indelible`: The note is written in ink. `on_fire`: The note is on fire";
    assert_eq!(conflict["description"], description);
    let problem = &conflict["content"]["application/problem+json"];
    let codes = &problem["schema"]["allOf"][1]["properties"]["code"]["enum"];
    assert_eq!(*codes, serde_json::json!(["indelible", "on_fire"]));
    assert_eq!(problem["examples"]["on_fire"]["value"]["detail"], "The note is on fire.");
    assert_eq!(answers["403"]["description"], "The role does not allow it");
}

#[test]
fn every_code_of_the_chassis_is_documented_but_for_bugs_and_wrong_methods() {
    let all: Vec<_> = [OwnCode::ALL, Code::ALL].concat();
    let faults = undocumented::<Sample<Typed>>(all.leak(), &[&Code::Internal, &Code::MethodNotAllowed]);
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn a_code_that_no_enum_has_cannot_be_documented() {
    let faults = undocumented::<Sample<ByHand>>(OwnCode::ALL, &[&OwnCode::OnFire]);
    let expected = ["409 \"`made_up`\" has no code of a type", "no route names (\"409\", \"indelible\")"];
    assert_eq!(faults, expected);
    let faults = undocumented::<Sample<Typed>>(&[], &[]);
    assert_eq!(faults, ["no enum has (\"409\", \"indelible\")", "no enum has (\"409\", \"on_fire\")"]);
    let faults = undocumented::<Sample<Typed>>(OwnCode::ALL, &[&OwnCode::OnFire]);
    assert_eq!(faults, ["(\"409\", \"on_fire\") is not internal"]);
}
