//! `docs/http.md`: every route of a server, as its OpenAPI document has it.

use std::fmt::Write;
use std::path::Path;

use netqoe_testbed::is_as_written;
use serde_json::{Map, Value};

use crate::support::{Server, get};

/// With this variable the page is written anew.
const WRITE: &str = "NETQOE_WRITE_REFERENCE";

const HEAD: &str = "# HTTP

<!-- Written from the OpenAPI document by the test `the_page_lists_every_route`; NETQOE_WRITE_REFERENCE=1 writes it anew. -->

`netqoe up` has all of these routes. `netqoe ingest` has those that take events, `netqoe aggregate` those that answer questions, and both have
`/health`, `/livez`, `/readyz`, `/metrics` and `/api/v1/openapi.json`, which is this page for programs. Where tokens are configured, a request carries
`Authorization: Bearer TOKEN`, or the cookie of a session. Times are Unix milliseconds unless a field says otherwise; a parameter that is a time may be
RFC 3339 as well. Other paths are answered with 404, and other methods with 405 and `Allow`. [limits.md](limits.md) says how much a client may ask.
";

/// Text for a cell or a line: no line ends, and no end of the cell.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

fn text<'a>(of: &'a Value, key: &str) -> &'a str {
    of[key].as_str().unwrap_or_default()
}

fn entries(of: &Value) -> impl Iterator<Item = (&String, &Value)> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    of.as_object().unwrap_or(&NONE).iter()
}

fn anchor(name: &str) -> String {
    format!("[`{name}`](#{})", name.to_lowercase())
}

/// From where to where a number may be, if that is less than all that fits into 64 bits.
fn bounds(schema: &Value) -> String {
    match (&schema["minimum"], &schema["maximum"]) {
        (least, most) if least.is_null() || most.is_null() || least.as_i64() == Some(i64::MIN) => String::new(),
        (least, most) => format!(" from {least} to {most}"),
    }
}

/// What a schema holds, in a few words.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return anchor(name);
    }
    if let Some(values) = schema["enum"].as_array() {
        return values
            .iter()
            .filter_map(Value::as_str)
            .map(|value| format!("`{value}`"))
            .collect::<Vec<_>>()
            .join(", ");
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        if let Some(parts) = schema[key].as_array() {
            return parts.iter().map(kind).collect::<Vec<_>>().join(if key == "allOf" { " with " } else { " or " });
        }
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        several => several.as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
    };
    let described = types.into_iter().map(|of_type| match of_type {
        "array" if !schema["items"].is_null() => format!("array of {}", kind(&schema["items"])),
        "array" => {
            let parts: Vec<_> = schema["prefixItems"].as_array().into_iter().flatten().map(kind).collect();
            format!("array: {}", parts.join(", "))
        }
        "object" if schema["additionalProperties"].is_object() => {
            format!("object of {}", kind(&schema["additionalProperties"]))
        }
        "string" if schema["format"] == "date-time" => "date and time".to_owned(),
        "integer" | "number" => format!("{of_type}{}", bounds(schema)),
        other => other.to_owned(),
    });
    described.collect::<Vec<_>>().join(" or ")
}

/// What a body or an answer holds.
fn content(of: &Value) -> String {
    let kinds = entries(&of["content"]).map(|(media, content)| match kind(&content["schema"]) {
        kind if media == "application/json" || media == "text/event-stream" => kind,
        kind => format!("{kind} (`{media}`)"),
    });
    kinds.collect::<Vec<_>>().join(" or ")
}

fn route(page: &mut String, method: &str, path: &str, of: &Value) {
    let says = [text(of, "summary"), text(of, "description")].map(plain).join(" ");
    let _ = write!(page, "\n### `{} {path}`\n\n{}\n", method.to_uppercase(), says.trim());
    let parameters = of["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !parameters.is_empty() {
        page.push_str("\n| parameter | in | is | means |\n| --- | --- | --- | --- |\n");
    }
    for parameter in parameters {
        let needed = if parameter["required"] == true { ", needed" } else { "" };
        let (name, place, says) =
            (text(parameter, "name"), text(parameter, "in"), plain(text(parameter, "description")));
        let _ = writeln!(page, "| `{name}` | {place}{needed} | {} | {says} |", kind(&parameter["schema"]));
    }
    if of["requestBody"].is_object() {
        let says = plain(text(&of["requestBody"], "description"));
        let _ = write!(
            page,
            "\nBody: {}{}\n",
            content(&of["requestBody"]),
            if says.is_empty() { says } else { format!(". {says}") }
        );
    }
    page.push_str("\n| status | answer | means |\n| --- | --- | --- |\n");
    let mut answers: Vec<(String, String, String)> = Vec::new();
    for (status, answer) in entries(&of["responses"]) {
        let headers = entries(&answer["headers"]).map(|(name, _)| format!("; header `{name}`"));
        let says = plain(text(answer, "description")) + &headers.collect::<String>();
        let content = content(answer);
        match answers.last_mut() {
            // Refusals of one shape, which says itself what is wrong.
            Some((statuses, before, said)) if *before == content && *said == says => {
                *statuses += &format!(", {status}");
            }
            _ => answers.push((status.clone(), content, says)),
        }
    }
    for (statuses, content, says) in answers {
        let _ = writeln!(page, "| {statuses} | {content} | {says} |");
    }
}

fn shape(page: &mut String, name: &str, of: &Value) {
    let _ = write!(page, "\n### {name}\n\n{}\n", plain(text(of, "description")));
    if !of["properties"].is_object() {
        let _ = write!(page, "\n{}\n", kind(of));
        return;
    }
    page.push_str("\n| field | is | means |\n| --- | --- | --- |\n");
    for (field, schema) in entries(&of["properties"]) {
        let own = text(schema, "description");
        let of_part =
            || schema["oneOf"].as_array().into_iter().flatten().map(|part| text(part, "description")).collect();
        let says: String = if own.is_empty() { of_part() } else { own.to_owned() };
        let _ = writeln!(page, "| `{field}` | {} | {} |", kind(schema), plain(&says));
    }
}

fn page(document: &Value) -> String {
    let mut page = HEAD.to_owned();
    page.push_str("\n## Routes\n");
    for (path, methods) in entries(&document["paths"]) {
        entries(methods).for_each(|(method, of)| route(&mut page, method, path, of));
    }
    page.push_str("\n## Shapes\n");
    entries(&document["components"]["schemas"]).for_each(|(name, of)| shape(&mut page, name, of));
    page
}

#[test]
fn the_page_lists_every_route() {
    let folder = tempfile::tempdir().unwrap();
    let (server, port) = Server::start_and_wait(&folder.path().join("data"), &[]);
    let page = page(&get(port, "/api/v1/openapi.json").unwrap().json());
    server.kill();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/http.md");
    is_as_written(&path, &page, WRITE).unwrap();
}
