//! What a server says of its routes, put together from what its parts say.

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Content, Header, ObjectBuilder, OpenApi, PathItem, Ref, RefOr, Response, ResponseBuilder, Responses, Schema,
};
use utoipa::{PartialSchema, ToSchema};

use crate::answer::{Code, Refusal};
use crate::sign_in::COOKIE;

/// How the document calls what lets a request in: a token, or the session that one has opened.
const TOKEN: &str = "token";
const SESSION: &str = "session";
const TOKEN_MEANS: &str = "A token of the tokens file; needed where the server has one.";
const SESSION_MEANS: &str = "The cookie of `POST /api/v1/session`.";

/// Adds what a part says of its routes. Types of all parts are known by their names alone.
pub(crate) fn add(document: &mut OpenApi, part: OpenApi) {
    if cfg!(debug_assertions)
        && let (Some(known), Some(new)) = (&document.components, &part.components)
    {
        for (name, schema) in &new.schemas {
            let differs = known.schemas.get(name).is_some_and(|other| other != schema);
            assert!(!differs, "two types of the OpenAPI document are called {name}");
        }
    }
    document.merge(part);
}

/// Adds to routes that [`SignIn::guard`](crate::SignIn::guard) guards who may ask, and what others are told.
pub fn for_readers(document: OpenApi) -> OpenApi {
    guarded(document, &[TOKEN, SESSION])
}

/// The same of routes that need neither where only this machine reaches the server.
pub(crate) fn for_readers_or_this_machine(document: OpenApi) -> OpenApi {
    let mut document = for_readers(document);
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        operation.security.get_or_insert_default().insert(0, SecurityRequirement::default());
    }
    document
}

/// The same of routes that [`Authentication::guard`](crate::Authentication::guard) guards.
pub fn for_senders(document: OpenApi) -> OpenApi {
    guarded(document, &[TOKEN])
}

fn guarded(mut document: OpenApi, by: &[&str]) -> OpenApi {
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        operation.security = Some(by.iter().map(|name| SecurityRequirement::new(*name, [""; 0])).collect());
        for status in [Code::Unauthorized, Code::Forbidden, Code::RateLimitExceeded, Code::ServiceUnavailable] {
            add_refusal(&mut operation.responses, status);
        }
    }
    let components = document.components.get_or_insert_default();
    let scheme = |name| match name {
        TOKEN => {
            let mut bearer = Http::new(HttpAuthScheme::Bearer);
            bearer.description = Some(TOKEN_MEANS.to_owned());
            SecurityScheme::Http(bearer)
        }
        _ => SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(COOKIE, SESSION_MEANS))),
    };
    by.iter().for_each(|name| components.add_security_scheme(*name, scheme(*name)));
    let mut schemas = vec![(Refusal::name().into_owned(), Refusal::schema())];
    Refusal::schemas(&mut schemas);
    components.schemas.extend(schemas);
    document
}

/// Adds an answer to those of a route that says nothing of its status.
fn add_refusal(answers: &mut Responses, code: Code) {
    let refusal = || {
        let schema = Ref::from_schema_name(Refusal::name());
        ResponseBuilder::new().content("application/json", Content::new(Some(schema))).build()
    };
    answers.responses.entry(code.status().as_str().to_owned()).or_insert_with(|| refusal().into());
}

/// Says of each answer that says nothing of itself what its status means. The standard wants that, and it is the same for most
/// routes. So are the headers that a client needs.
pub fn described(mut document: OpenApi) -> OpenApi {
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        operation.parameters.iter_mut().flatten().for_each(text_or_absent);
        for (status, answer) in &mut operation.responses.responses {
            let RefOr::T(answer) = answer else { continue };
            if answer.description.is_empty() {
                meaning(status).clone_into(&mut answer.description);
            }
            add_headers(status, answer);
        }
    }
    document
}

/// A header that may be absent is no JSON, so it can't be null.
fn text_or_absent(parameter: &mut RefOr<Parameter>) {
    let RefOr::T(parameter) = parameter else { return };
    if parameter.parameter_in != ParameterIn::Header {
        return;
    }
    let is_null = |schema: &RefOr<Schema>| matches!(schema, RefOr::T(Schema::Object(object)) if object.schema_type == SchemaType::new(Type::Null));
    match &mut parameter.schema {
        Some(RefOr::T(Schema::Object(object))) => match &mut object.schema_type {
            SchemaType::Array(types) => types.retain(|of_type| *of_type != Type::Null),
            SchemaType::Type(_) | SchemaType::AnyValue => {}
        },
        Some(RefOr::T(Schema::OneOf(choices))) => {
            choices.items.retain(|item| !is_null(item));
            if let [only] = choices.items.as_slice() {
                parameter.schema = Some(only.clone());
            }
        }
        _ => {}
    }
}

fn add_headers(status: &str, answer: &mut Response) {
    let (name, of_type, means) = match status {
        "401" => ("WWW-Authenticate", Type::String, "`Bearer`"),
        "429" | "503" => ("Retry-After", Type::Integer, "Seconds after which to ask again, where that is known"),
        _ => return,
    };
    let header = HeaderBuilder::new().schema(Some(ObjectBuilder::new().schema_type(of_type))).description(Some(means));
    answer.headers.entry(name.to_owned()).or_insert_with(|| RefOr::<Header>::T(header.build()));
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut path.get, &mut path.put, &mut path.post, &mut path.delete, &mut path.patch].into_iter().flatten()
}

fn meaning(status: &str) -> &'static str {
    match status {
        "200" => "The answer",
        "201" => "It is stored, and looks so",
        "204" => "Done",
        "400" => "The request can't be understood; the message says why",
        "401" => "No token, or a wrong one",
        "403" => "Another site may have sent this; or, without tokens, this machine was asked for by another name",
        "404" => "There is no such thing",
        "413" => "The body is too large",
        "429" => "Too many wrong tokens have come from this address",
        "503" => "The store is away, or it took too long; try again later",
        _ => "See the message",
    }
}

#[cfg(test)]
mod tests {
    use utoipa::openapi::path::{HttpMethod, OperationBuilder};
    use utoipa::openapi::schema::OneOf;
    use utoipa::openapi::{ComponentsBuilder, Object, OpenApiBuilder, PathsBuilder, ResponseBuilder};

    use super::*;

    fn described_as(status: &str, description: &str) -> String {
        let answer = ResponseBuilder::new().description(description).build();
        let operation = OperationBuilder::new().response(status, answer).build();
        let paths = PathsBuilder::new().path("/a", PathItem::new(HttpMethod::Get, operation)).build();
        let document = serde_json::to_value(described(OpenApiBuilder::new().paths(paths).build())).unwrap();
        document["paths"]["/a"]["get"]["responses"][status]["description"].as_str().unwrap_or_default().to_owned()
    }

    #[test]
    fn what_says_nothing_of_itself_says_what_its_status_means() {
        assert_eq!(described_as("401", ""), "No token, or a wrong one");
        assert_eq!(described_as("401", "Signed out"), "Signed out");
        assert!(!described_as("418", "").is_empty());
    }

    #[test]
    fn routes_for_readers_say_who_may_ask_and_what_others_are_told() {
        let own = ResponseBuilder::new().description("Not you").build();
        let operation = OperationBuilder::new().response("403", own).build();
        let paths = PathsBuilder::new().path("/a", PathItem::new(HttpMethod::Get, operation)).build();
        let document = described(for_readers(OpenApiBuilder::new().paths(paths).build()));
        let document = serde_json::to_value(document).unwrap();
        let (route, components) = (&document["paths"]["/a"]["get"], &document["components"]);
        assert_eq!(route["security"], serde_json::json!([{ "token": [] }, { "session": [] }]));
        for name in ["token", "session"] {
            assert!(components["securitySchemes"][name].is_object(), "{name}");
        }
        assert_eq!(route["responses"]["403"]["description"], "Not you");
        for (status, header) in [("401", "WWW-Authenticate"), ("429", "Retry-After"), ("503", "Retry-After")] {
            let answer = &route["responses"][status];
            assert!(answer["headers"][header].is_object(), "{status}");
            assert_eq!(answer["content"]["application/json"]["schema"]["$ref"], "#/components/schemas/Refusal");
        }
        assert!(components["schemas"]["Code"].is_object(), "{components}");
    }

    #[test]
    fn a_header_is_not_null() {
        let null = || RefOr::T(Schema::Object(Object::with_type(Type::Null)));
        let text = || RefOr::T(Schema::Object(Object::with_type(Type::String)));
        let either = Object::with_type(SchemaType::from_iter([Type::String, Type::Null]));
        let choice = OneOf { items: vec![text(), null()], ..OneOf::default() };
        for schema in [Schema::Object(either), Schema::OneOf(choice)] {
            let mut parameter = Parameter::new("a");
            (parameter.parameter_in, parameter.schema) = (ParameterIn::Header, Some(schema.into()));
            let mut parameter = RefOr::T(parameter);
            text_or_absent(&mut parameter);
            let parameter = serde_json::to_value(parameter).unwrap();
            assert!(!parameter["schema"].to_string().contains("null"), "{parameter}");
        }
    }

    #[test]
    #[should_panic(expected = "two types of the OpenAPI document are called Outcome")]
    fn two_types_with_one_name_are_noticed() {
        let part = |about: &str| {
            let mut schema = Object::new();
            schema.description = Some(about.to_owned());
            OpenApiBuilder::new().components(Some(ComponentsBuilder::new().schema("Outcome", schema).build())).build()
        };
        let mut document = part("of events");
        add(&mut document, part("of events"));
        add(&mut document, part("of a pair"));
    }
}
