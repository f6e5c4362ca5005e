//! What the API says of itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::*;

/// Where the document lies that others read: the page's types are made from it.
const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
/// Set to 1, it lets the test below write the document.
const WRITE: &str = "NETQOE_WRITE_OPENAPI";

/// What is asked of lists.
const PAGED: &[&str] = &["client_id", "target", "from", "to", "label", "labelled", "limit", "cursor"];
const RUNS: &[&str] = &["client_id", "target", "from", "to", "label", "labelled", "limit"];
const INCIDENTS: &[&str] = &[
    "state",
    "label",
    "severity",
    "dimension",
    "client_id",
    "target",
    "labelled",
    "from",
    "to",
    "as_of",
    "limit",
    "cursor",
];
/// Routes of one thing, whose tests are with the thing.
const OF_ONE: &[&str] = &["incidents/{id}", "incidents/{id}/notes", "incidents/{id}/pairs", "maintenance/{id}"];
const LIVE: &[&str] =
    &["client_id", "target", "from", "to", "label", "labelled", "detail", "last_event_id", "Last-Event-ID"];

#[tokio::test]
async fn every_route_is_documented_and_answers() {
    let api = Api::with(&[]);
    let fleet = ["client_id", "target", "from", "to", "labelled"];
    let of_points = [&fleet[..], &["max_points"]].concat();
    let of_region = [&fleet[..], &["inside_from", "inside_to", "metric", "min", "max"]].concat();
    let routes = [
        ("aggregates", "", PAGED),
        ("clients", "", PAGED),
        ("compare", "?target=t", &of_points),
        ("corrections", "", &["from", "to"]),
        ("diagnoses", "", PAGED),
        ("different", "?inside_from=1&inside_to=2", &of_region),
        (
            "different/measurements",
            "?inside_from=1&inside_to=2",
            &["client_id", "target", "from", "to", "inside_from", "inside_to"],
        ),
        ("events", "?client_id=c", &["client_id", "target", "from", "to", "limit", "cursor"]),
        ("incidents", "", INCIDENTS),
        ("labels", "", &[]),
        ("live", "", LIVE),
        ("maintenance", "", &["limit", "cursor"]),
        ("matrix", "", &fleet),
        ("overview", "", &[&fleet[..], &["by"]].concat()),
        ("runs", "", RUNS),
        (
            "score",
            "",
            &[
                "by",
                "client_id",
                "target",
                "from",
                "to",
                "labelled",
                "satisfied_ms",
                "perfect_p50_ms",
                "unusable_p50_ms",
                "perfect_p95_ms",
                "unusable_p95_ms",
                "perfect_loss",
                "unusable_loss",
            ],
        ),
        ("series", "?client_id=c&target=t", &of_points),
        ("targets", "", PAGED),
        ("timeline", "", &of_points),
        ("unmeasured", "", &["client_id", "target", "labelled", "limit", "cursor"]),
    ];
    let paths: BTreeSet<_> = api.document["paths"].as_object().unwrap().keys().cloned().collect();
    let of_one = OF_ONE.iter().map(|path| format!("/api/v1/{path}"));
    assert_eq!(paths, routes.iter().map(|(route, ..)| format!("/api/v1/{route}")).chain(of_one).collect());
    for (route, question, expected) in routes {
        let path = format!("/api/v1/{route}");
        assert_eq!(api.open(&format!("{path}{question}")).await.status(), 200, "{path}");
        let get = &api.document["paths"][&path]["get"];
        // What labels mean is asked of no store, and without parameters. Who may ask, the server says of all routes.
        let statuses: &[&str] = if route == "labels" { &["200"] } else { &["200", "400", "503"] };
        for status in statuses {
            assert!(get["responses"][status].is_object(), "{path} {status}");
        }
        let parameters: Vec<_> =
            get["parameters"].as_array().into_iter().flatten().map(|parameter| &parameter["name"]).collect();
        assert_eq!(parameters, expected, "{path}");
    }
}

#[tokio::test]
async fn a_limit_is_documented_as_the_number_that_it_is() {
    let api = Api::with(&[]);
    let parameters = api.document["paths"]["/api/v1/aggregates"]["get"]["parameters"].as_array().unwrap();
    let limit = parameters.iter().find(|parameter| parameter["name"] == "limit").unwrap();
    assert_eq!((&limit["schema"]["minimum"], &limit["schema"]["maximum"]), (&1.into(), &1000.into()));
    assert!(limit["schema"]["type"].to_string().contains("integer"), "{limit}");
}

#[test]
fn the_committed_document_says_what_the_code_does() {
    let document = serde_json::to_string_pretty(&netqoe_query::document()).unwrap() + "\n";
    if std::env::var_os(WRITE).is_some_and(|value| value == "1") {
        std::fs::write(COMMITTED, &document).unwrap();
    }
    let committed = std::fs::read_to_string(COMMITTED).unwrap_or_default();
    assert!(
        committed == document,
        "query/openapi.json is not what the code says; run `{WRITE}=1 cargo test -p netqoe-query --test api document`, \
         then `npm run types` in dashboard/web, and commit both"
    );
}

/// Whoever reads an answer may trust the document: what it says is there is there, and nothing else.
#[tokio::test]
async fn answers_have_the_members_that_the_document_says() {
    let label = netqoe_model::Label::DnsBound;
    let api = Api::with(&[diagnosed(row("c", "t", 0), label), row("c", "u", 0), diagnosed(row("c", "t", 1), label)]);
    let document = serde_json::to_value(netqoe_query::document()).unwrap();
    for (route, question) in [
        ("aggregates", ""),
        ("clients", ""),
        ("compare", "?target=t"),
        ("diagnoses", ""),
        ("different", "?inside_from=1764979200000&inside_to=1764979260000"),
        ("matrix", ""),
        ("overview", ""),
        ("runs", ""),
        ("score", "?by=pair"),
        ("series", "?client_id=c&target=t"),
        ("targets", ""),
        ("timeline", ""),
    ] {
        let path = format!("/api/v1/{route}");
        let schema = &document["paths"][&path]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        let answer = api.get(&format!("{path}{question}")).await;
        assert_eq!(answer.status, 200, "{path}");
        check(&document, schema, &answer.body, route);
    }
}

#[track_caller]
pub(crate) fn check(document: &Value, schema: &Value, value: &Value, place: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return check(document, &document["components"]["schemas"][name], value, place);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let fits = choices.iter().find(|choice| (choice["type"] == "null") == value.is_null());
        return check(document, fits.unwrap_or_else(|| panic!("{place}: {schema}")), value, place);
    }
    match value {
        Value::Object(members) => {
            let (mut known, mut required) = (BTreeMap::new(), BTreeSet::new());
            gather(document, schema, &mut known, &mut required);
            for (name, member) in members {
                let schema = known.get(name).unwrap_or_else(|| panic!("{place}: {name} is not documented"));
                check(document, schema, member, &format!("{place}.{name}"));
            }
            let missing: Vec<_> = required.iter().filter(|name| !members.contains_key(*name)).collect();
            assert!(missing.is_empty(), "{place}: {missing:?}");
            // Only lists by label leave members out.
            let optional: Vec<_> = known.keys().filter(|name| !required.contains(*name)).collect();
            assert!(optional.is_empty() || required.is_empty(), "{place}: {optional:?} are said to be optional");
        }
        Value::Array(items) => items.iter().for_each(|item| check(document, &schema["items"], item, place)),
        other => {
            let types = schema["type"].to_string();
            let found = match other {
                Value::Null => "null",
                Value::Bool(_) => "boolean",
                Value::String(_) => "string",
                _ => {
                    if types.contains("integer") {
                        "integer"
                    } else {
                        "number"
                    }
                }
            };
            assert!(types.contains(&format!("\"{found}\"")), "{place}: {other} is no {types}");
            if let Some(texts) = schema["enum"].as_array().filter(|_| !other.is_null()) {
                assert!(texts.contains(other), "{place}: {other} is none of {texts:?}");
            }
        }
    }
}

/// The members of an object, put together where it has several parts.
fn gather(document: &Value, schema: &Value, known: &mut BTreeMap<String, Value>, required: &mut BTreeSet<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return gather(document, &document["components"]["schemas"][name], known, required);
    }
    schema["allOf"].as_array().into_iter().flatten().for_each(|part| gather(document, part, known, required));
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        known.insert(name.clone(), member.clone());
    }
    required.extend(schema["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap().to_owned()));
}
