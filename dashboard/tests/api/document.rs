//! What the API says of itself.

use crate::support::*;

#[tokio::test]
async fn every_route_is_documented_and_answers() {
    let api = Api::with(&[]);
    let paths: Vec<_> = api.document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let expected = ["/api/v1/aggregates", "/api/v1/clients", "/api/v1/diagnoses", "/api/v1/live", "/api/v1/targets"];
    assert_eq!(paths, expected);
    for path in paths {
        assert_eq!(api.open(path).await.status(), 200, "{path}");
        let get = &api.document["paths"][path]["get"];
        for status in ["200", "400", "401", "503"] {
            assert!(get["responses"][status].is_object(), "{path} {status}");
        }
        let parameters: Vec<_> =
            get["parameters"].as_array().unwrap().iter().map(|parameter| &parameter["name"]).collect();
        assert_eq!(parameters, ["client_id", "target", "from", "to", "label", "limit", "cursor"], "{path}");
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
