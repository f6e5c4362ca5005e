//! The OpenAPI document, and whether the server keeps to it: what the document allows is taken, what it forbids is refused, and
//! every answer is one that it describes.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use netqoe_testbed::PackagedPython;

use crate::support::{JSON, NO_RATE, Server, eventually, gate_or_soak, seed, send};

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../query/openapi.json");
/// What schemathesis must know beside the document.
const HOOKS: &str = include_str!("hooks.py");
/// Which random requests are sent.
const SEED: &str = "NETQOE_TEST_OPENAPI_SEED";
/// Random requests to each route, in the gate and in a soak: beside these, all bounds of all parameters are tried.
const EXAMPLES: [u32; 2] = [20, 200];
const TOKEN: &str = "may-read-and-send-everything";

fn succeeds(command: &mut Command) {
    let output = command.output().unwrap();
    let [said, complained] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success(), "{said}\n{complained}");
    println!("{said}");
}

fn is_valid(document: &Path) {
    let python = PackagedPython::for_openapi().unwrap();
    succeeds(python.command().args(["-m", "openapi_spec_validator", "--schema", "3.1"]).arg(document));
}

#[test]
fn the_committed_document_is_valid() {
    is_valid(Path::new(COMMITTED));
}

#[test]
fn the_server_keeps_to_its_document() {
    let folder = tempfile::tempdir().unwrap();
    let mut tokens = tempfile::NamedTempFile::new_in(&folder).unwrap();
    writeln!(tokens, "{TOKEN}").unwrap();
    let options = [&["--demo", "--tokens-file", tokens.path().to_str().unwrap()], &NO_RATE[..]].concat();
    let (server, port) = Server::start_and_wait(&folder.path().join("data"), &options);
    let authorization = format!("Bearer {TOKEN}");
    let ask = |method, path: &str, body: &str| {
        send(port, method, path, &[JSON, ("Authorization", &authorization)], body.as_bytes()).unwrap()
    };
    let mut incidents = Vec::new();
    eventually("there is more than a page of everything", || {
        incidents = ask("GET", "/api/v1/incidents", "").json()["items"].as_array().unwrap().clone();
        incidents.len() > 1
    });
    let notes = format!("/api/v1/incidents/{}/notes", incidents[0]["id"].as_str().unwrap());
    assert_eq!(ask("POST", &notes, r#"{"text": "looked at", "by": "a person", "acknowledges": true}"#).status, 201);

    let document = folder.path().join("openapi.json");
    std::fs::write(&document, ask("GET", "/api/v1/openapi.json", "").body).unwrap();
    is_valid(&document);
    // Python finds it in the current folder, in which schemathesis may also write.
    std::fs::write(folder.path().join("hooks.py"), HOOKS).unwrap();
    let url = format!("http://127.0.0.1:{port}");
    let mut schemathesis = PackagedPython::for_openapi().unwrap().command();
    schemathesis.args(["-m", "schemathesis.cli", "run", "--url", &url, "--checks", "all", "--continue-on-failure"]);
    schemathesis.args(["--max-examples", &gate_or_soak(EXAMPLES[0], EXAMPLES[1]).to_string()]);
    schemathesis.args(["--seed", &seed(SEED, 1).to_string(), "--generation-database", "none", "--no-color"]);
    schemathesis.args(["--header", &format!("Authorization: {authorization}")]).arg(&document);
    schemathesis.env("SCHEMATHESIS_HOOKS", "hooks").env("NETQOE_SERVER", &url).env("NETQOE_TOKEN", TOKEN);
    succeeds(schemathesis.current_dir(&folder));
    server.stop();
}
