//! The description of the API: what the handlers do not say by themselves.

use utoipa::openapi::header::Header;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, OpenApi as Document, Ref, RefOr, Required, Response};
use utoipa::{Modify, OpenApi};

use crate::server::http::limits::PROXY;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Patchbay",
        version = "1",
        description = "Connections to third-party services: their credentials, their status, who uses them. Errors are \
                       problem details (RFC 9457); their `type` is stable. Lists come in pages: send `next` as `cursor`. \
                       What is answered with 429 or 503 may be sent again after `Retry-After` seconds."
    ),
    tags(
        (name = "components", description = "The services one can connect to, and the fields they ask for"),
        (name = "connections", description = "Named sets of credentials for one service, each in one environment"),
        (name = "runtime", description = "Using connections: their credentials, or requests sent in their name"),
        (name = "workflows", description = "What uses connections on your platform, as you register it"),
        (name = "events", description = "What happens to connections, as a feed to follow"),
        (name = "webhooks", description = "The same events, sent to you"),
        (name = "embedding", description = "Workspaces and tickets for embedded pages; with an instance key")
    ),
    paths(super::proxy::call),
    modifiers(&Keys),
    security(("api_key" = []))
)]
pub struct Description;

/// Both kinds of keys, as bearer tokens.
struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        let bearer = |words: &str| -> Http {
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(words)).build()
        };
        let of_workspace = "An API key of a workspace (pb_…): owners make them in Settings, API keys.";
        let of_instance = "An instance key (pb_inst_…), made on the machine that runs Patchbay.";
        components.add_security_scheme("api_key", SecurityScheme::Http(bearer(of_workspace)));
        components.add_security_scheme("instance_key", SecurityScheme::Http(bearer(of_instance)));
    }
}

/// Tells of every operation what holds for all.
pub fn complete(document: &mut Document) {
    for (path, item) in &mut document.paths.paths {
        let usual = [("get", &mut item.get), ("put", &mut item.put), ("post", &mut item.post)];
        let rare = [("patch", &mut item.patch), ("delete", &mut item.delete)];
        let rarest = [("head", &mut item.head), ("options", &mut item.options)];
        let all = usual.into_iter().chain(rare).chain(rarest);
        for (method, operation) in all.filter_map(|(method, operation)| Some((method, operation.as_mut()?))) {
            // One handler for all methods, but each has a name of its own.
            if path.starts_with(PROXY) {
                operation.operation_id = Some(format!("{method}ByProxy"));
            }
            tell_errors(operation);
            plain_parameters(operation);
            plain_body(operation);
        }
    }
}

/// What can go wrong with any request.
const ERRORS: [(&str, &str); 8] = [
    ("400", "The request cannot be read, or some values cannot be used"),
    ("401", "No key, or one that is unknown, expired or revoked"),
    ("403", "The key may not do this"),
    ("404", "Not there, or not where this key is valid"),
    ("429", "Too much at once"),
    ("503", "Not available right now"),
    ("4XX", "The request cannot be carried out"),
    ("5XX", "Patchbay cannot answer now"),
];

/// Every operation can fail, and all failures are told in one way.
fn tell_errors(operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    for (code, description) in ERRORS {
        responses.entry(code.to_owned()).or_insert_with(|| Response::new(description).into());
    }
    for (code, response) in responses.iter_mut().filter(|(code, _)| code.starts_with(['4', '5'])) {
        let RefOr::T(response) = response else { continue };
        let problem = Content::new(Some(Ref::from_schema_name("Problem")));
        response.content = [("application/problem+json".to_owned(), problem)].into_iter().collect();
        if response.description.is_empty() {
            "The request cannot be carried out".clone_into(&mut response.description);
        }
        if matches!(code.as_str(), "429" | "503") {
            let seconds = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Integer));
            let mut header = Header::new(seconds);
            header.description = Some("Seconds after which another try makes sense".to_owned());
            response.headers.insert("Retry-After".to_owned(), header);
        }
    }
}

/// A parameter that may be left out has no null: there is no way to write one in a query or a header.
fn plain_parameters(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        let Some(RefOr::T(Schema::Object(object))) = &mut parameter.schema else { continue };
        // What a number may be at most is said in words, where it matters.
        if object.format == Some(SchemaFormat::KnownFormat(KnownFormat::Int32)) {
            object.format = Some(SchemaFormat::KnownFormat(KnownFormat::Int64));
        }
        if let SchemaType::Array(types) = &mut object.schema_type {
            types.retain(|kind| *kind != Type::Null);
            if let [one] = types.as_slice() {
                object.schema_type = SchemaType::Type(one.clone());
            }
        }
    }
}

/// Neither has a body: it is there or not.
fn plain_body(operation: &mut Operation) {
    let Some(body) = &mut operation.request_body else { return };
    for content in body.content.values_mut() {
        let Some(RefOr::T(Schema::OneOf(either))) = &content.schema else { continue };
        let named = either.items.iter().find(|item| matches!(item, RefOr::Ref(_))).cloned();
        if named.is_some() {
            content.schema = named;
            body.required = Some(Required::False);
        }
    }
}
