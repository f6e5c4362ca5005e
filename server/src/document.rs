//! What a server says of its routes, put together from what its parts say.

use utoipa::openapi::path::Operation;
use utoipa::openapi::{OpenApi, PathItem, RefOr};

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

/// Says of each answer that says nothing of itself what its status means. The standard wants that, and it is the same for most
/// routes.
pub fn described(mut document: OpenApi) -> OpenApi {
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        for (status, answer) in &mut operation.responses.responses {
            if let RefOr::T(answer) = answer
                && answer.description.is_empty()
            {
                meaning(status).clone_into(&mut answer.description);
            }
        }
    }
    document
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
        "403" => "The request is not allowed here",
        "404" => "There is no such thing",
        "413" => "The body is too large",
        "503" => "The store is away, or it took too long; try again later",
        _ => "See the message",
    }
}

#[cfg(test)]
mod tests {
    use utoipa::openapi::path::{HttpMethod, OperationBuilder};
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
