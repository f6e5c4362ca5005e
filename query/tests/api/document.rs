//! What the API says of itself.

use crate::support::*;

/// What is asked of lists.
const PAGED: &[&str] = &["client_id", "target", "from", "to", "label", "limit", "cursor"];
const RUNS: &[&str] = &["client_id", "target", "from", "to", "label", "limit"];
const LIVE: &[&str] = &["client_id", "target", "from", "to", "label", "detail", "last_event_id", "Last-Event-ID"];

#[tokio::test]
async fn every_route_is_documented_and_answers() {
    let api = Api::with(&[]);
    let fleet = ["client_id", "target", "from", "to"];
    let of_points = [&fleet[..], &["max_points"]].concat();
    let of_region = [&fleet[..], &["inside_from", "inside_to", "metric", "min", "max"]].concat();
    let routes = [
        ("aggregates", "", PAGED),
        ("clients", "", PAGED),
        ("compare", "?target=t", &of_points),
        ("diagnoses", "", PAGED),
        ("different", "?inside_from=1&inside_to=2", &of_region),
        ("live", "", LIVE),
        ("matrix", "", &fleet),
        ("overview", "", &fleet),
        ("runs", "", RUNS),
        ("series", "?client_id=c&target=t", &of_points),
        ("targets", "", PAGED),
        ("timeline", "", &of_points),
    ];
    let paths: Vec<_> = api.document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(paths, routes.map(|(route, ..)| format!("/api/v1/{route}")));
    for (route, question, expected) in routes {
        let path = format!("/api/v1/{route}");
        assert_eq!(api.open(&format!("{path}{question}")).await.status(), 200, "{path}");
        let get = &api.document["paths"][&path]["get"];
        for status in ["200", "400", "401", "503"] {
            assert!(get["responses"][status].is_object(), "{path} {status}");
        }
        let parameters: Vec<_> =
            get["parameters"].as_array().unwrap().iter().map(|parameter| &parameter["name"]).collect();
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
