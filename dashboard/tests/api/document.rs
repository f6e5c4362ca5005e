//! What the API says of itself.

use crate::support::*;

#[tokio::test]
async fn every_route_is_documented_and_answers() {
    let api = Api::with(&[]);
    let paths: Vec<_> = api.document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let paged = ["aggregates", "clients", "diagnoses", "targets"];
    let analysed = ["compare", "different", "matrix", "overview", "series"];
    let mut expected: Vec<_> = paged.iter().chain(&analysed).map(|name| format!("/api/v1/{name}")).collect();
    expected.push("/api/v1/live".to_owned());
    expected.sort_unstable();
    assert_eq!(paths, expected);
    for path in paths {
        let status = api.open(path).await.status();
        let needs_more = ["/api/v1/compare", "/api/v1/different", "/api/v1/series"].contains(&path);
        assert_eq!(status, if needs_more { 400 } else { 200 }, "{path}");
        let get = &api.document["paths"][path]["get"];
        for status in ["200", "400", "401", "503"] {
            assert!(get["responses"][status].is_object(), "{path} {status}");
        }
    }
    for name in paged {
        let parameters = parameters(&api, name);
        assert_eq!(parameters, ["client_id", "target", "from", "to", "label", "limit", "cursor"], "{name}");
    }
    let of_live = ["client_id", "target", "from", "to", "label", "detail", "last_event_id", "Last-Event-ID"];
    assert_eq!(parameters(&api, "live"), of_live);
}

/// Those of a route, as they are documented.
fn parameters<'a>(api: &'a Api, name: &str) -> Vec<&'a str> {
    let parameters = api.document["paths"][format!("/api/v1/{name}")]["get"]["parameters"].as_array().unwrap();
    parameters.iter().map(|parameter| parameter["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_limit_is_documented_as_the_number_that_it_is() {
    let api = Api::with(&[]);
    let parameters = api.document["paths"]["/api/v1/aggregates"]["get"]["parameters"].as_array().unwrap();
    let limit = parameters.iter().find(|parameter| parameter["name"] == "limit").unwrap();
    assert_eq!((&limit["schema"]["minimum"], &limit["schema"]["maximum"]), (&1.into(), &1000.into()));
    assert!(limit["schema"]["type"].to_string().contains("integer"), "{limit}");
}
