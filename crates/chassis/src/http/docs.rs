//! The OpenAPI document of a service and its Swagger UI, at `/{service}-docs/`.

mod answers;
mod pages;
mod refusals;
mod together;

use axum::Router;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        InfoBuilder, OpenApi, RefOr, Schema, Server,
        path::Operation,
        request_body::RequestBody,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

pub use refusals::Refusals;

use crate::{FieldError, problem::ProblemBody};

/// The security scheme's name: operations that need a token say `security(("token" = []))`, and in
/// the brackets which roles of the staff may, where not everybody may.
const TOKEN: &str = "token";

/// Completes a document with what holds for every operation: the servers, the security scheme, and the errors.
pub fn complete(mut document: OpenApi, name: &str, public_url: &str) -> OpenApi {
    let about = document.info.description.take();
    document.info = InfoBuilder::new()
        .title(name)
        .version(env!("CARGO_PKG_VERSION"))
        .description(about)
        .license(Some(utoipa::openapi::LicenseBuilder::new().name("MIT").identifier(Some("MIT")).build()))
        .build();
    document.servers = Some(vec![Server::new(public_url)]);
    let components = document.components.get_or_insert_default();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("The access token of a login at user-service; it counts for 15 minutes."))
        .build();
    components.security_schemes.insert(TOKEN.to_owned(), SecurityScheme::Http(bearer).into());
    for schema in components.schemas.values_mut() {
        if let RefOr::T(Schema::Object(object)) = schema {
            together::complete(object);
        }
    }
    components.schemas.insert("Problem".to_owned(), ProblemBody::schema());
    components.schemas.insert(FieldError::name().into_owned(), FieldError::schema());
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete];
        operations.into_iter().flatten().for_each(complete_operation);
    }
    document
}

fn complete_operation(operation: &mut Operation) {
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        refuse_null(body);
    }
    refusals::add_common(operation);
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response {
            answers::complete(status, response);
        }
    }
}

/// A body that may be left out is just that: `null`, which utoipa adds for an optional one, is no body.
fn refuse_null(body: &mut RequestBody) {
    for content in body.content.values_mut() {
        if let RefOr::T(content) = content
            && let Some(RefOr::T(Schema::OneOf(choice))) = &content.schema
            && let [RefOr::Ref(only), RefOr::T(_)] | [RefOr::T(_), RefOr::Ref(only)] = choice.items.as_slice()
        {
            content.schema = Some(only.clone().into());
        }
    }
}

/// Serves the document and its Swagger UI.
pub(super) fn routes(name: &str, document: OpenApi) -> Router {
    let base = format!("/{}-docs", name.trim_end_matches("-service"));
    pages::routes(&base, name, document)
}
