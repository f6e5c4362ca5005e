//! No secret stands in what netqoe says, however much it says and whatever goes wrong: every secret here holds the same word, and nothing
//! that any part of netqoe writes may hold it.

use std::fmt::Debug;
use std::path::Path;
use std::process::{Command, Output};

use netqoe_testbed::{Database, NatsServer, free_port};
use serde_json::json;

use crate::support::{JSON, NO_RATE, Server, event, eventually, get, netqoe, post, send};

/// Part of every secret.
const PLANTED: &str = "planted";
const TOKEN: &str = "planted-token-of-all";
const BOUND: &str = "planted-token-of-one";
const WRONG: &str = "Bearer planted-wrong-token";
/// The most that can be logged.
const ALL: (&str, &str) = ("RUST_LOG", "trace");
/// Nothing listens there.
const AWAY: &str = "127.0.0.1:1";

#[track_caller]
fn check(what: impl Debug, said: &str) {
    let leak = said.lines().find(|line| line.contains(PLANTED));
    assert!(leak.is_none(), "{what:?}: {leak:?}");
}

/// Runs a command to its end, and looks at all that it says. Whether it has succeeded.
#[track_caller]
fn run(command: &mut Command) -> bool {
    let Output { status, stdout, stderr } = command.env(ALL.0, ALL.1).output().unwrap();
    // A panic shows the command, which holds the secret: that is the test's to say.
    check(format!("{command:?}"), &String::from_utf8_lossy(&[stdout, stderr].concat()));
    status.success()
}

/// The same for one that must fail.
#[track_caller]
fn check_refused(command: &mut Command) {
    assert!(!run(command), "{command:?} does not fail");
}

/// Asks for what tells how a server is, with a right and with wrong tokens.
fn check_routes(port: u16, admin: u16) {
    let right = format!("Bearer {TOKEN}");
    for path in [
        "/metrics",
        "/health",
        "/livez",
        "/readyz",
        "/api/v1/openapi.json",
        "/api/v1/clients",
        "/api/v1/pipeline",
        "/nowhere",
    ] {
        for header in
            [("Authorization", &*right), ("Authorization", WRONG), ("Cookie", "netqoe_session=planted-cookie")]
        {
            let answer = send(port, "GET", path, &[header], b"").unwrap();
            check((path, header.0), &format!("{answer:?}"));
        }
    }
    let wrong = json!({ "token": "planted-wrong-token" }).to_string();
    for (path, body) in
        [("/api/v1/session", &*wrong), ("/api/v1/session", "{\"token\": planted"), ("/api/v1/events", "planted")]
    {
        for header in [WRONG, "planted-no-scheme", &format!("Bearer {BOUND}")] {
            let answer = send(port, "POST", path, &[JSON, ("Authorization", header)], body.as_bytes()).unwrap();
            assert!(answer.status >= 400, "{path}: {answer:?}");
            check((path, header), &format!("{answer:?}"));
        }
    }
    for (method, path) in [("GET", "/admin/log-level"), ("POST", "/-/reload"), ("GET", "/debug/pprof/heap")] {
        check(path, &format!("{:?}", send(admin, method, path, &[("Authorization", WRONG)], b"").unwrap()));
    }
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// Receivers with every secret that one may have, at an address where nobody is.
fn receivers(folder: &Path) -> String {
    let hook = write(folder, "hook", &format!("http://{AWAY}/planted-hook?key=planted-key"));
    let slack = write(folder, "slack", &format!("http://{AWAY}/services/planted-slack"));
    let key = write(folder, "key", "planted-hmac-key-0123456789");
    let password = write(folder, "password", "planted-smtp-password");
    format!(
        "[[notify.receiver]]\nname = 'hook'\nkind = 'webhook'\nurl_file = '{hook}'\nhmac_key_file = '{key}'\n\
         [[notify.receiver]]\nname = 'slack'\nkind = 'slack'\nurl_file = '{slack}'\n\
         [[notify.receiver]]\nname = 'mail'\nkind = 'email'\nserver = '127.0.0.1'\nport = 1\nuser = 'somebody'\n\
         password_file = '{password}'\nfrom = 'a@example.com'\nto = ['b@example.com']\n"
    )
}

#[test]
fn a_server_says_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let tokens = write(folder.path(), "tokens", &format!("{TOKEN}\n{BOUND}=one\n"));
    let file =
        write(folder.path(), "netqoe.toml", &format!("[up]\ntokens_file = '{tokens}'\n{}", receivers(folder.path())));
    let admin = free_port().unwrap();
    let mut command = netqoe();
    command.env(ALL.0, ALL.1).args([
        "--config",
        &file,
        "up",
        "--port",
        "0",
        "--admin-port",
        &admin.to_string(),
        "--pprof",
    ]);
    let mut up = Server::run(
        {
            command.arg("--data").arg(&data).args(NO_RATE);
            command
        },
        Default::default(),
    );
    let port = up.port();
    eventually("the server is ready", || get(port, "/readyz").is_ok_and(|answer| answer.status == 200));
    eventually("the admin routes are there", || get(admin, "/admin/log-level").is_ok());
    let right = format!("Bearer {TOKEN}");
    let sent = post(port, &[JSON, ("Authorization", &right)], event("e", "one").to_string()).unwrap();
    assert_eq!(sent.status, 200);
    check_routes(port, admin);
    // One that is refused, and one that is taken.
    for list in ["planted-new-token\nplanted-new-token", "planted-new-token", "x"] {
        write(folder.path(), "tokens", list);
        check(list, &format!("{:?}", send(admin, "POST", "/-/reload", &[], b"").unwrap()));
    }
    assert!(up.has_logged("DEBUG"), "it logs all");
    up.terminate();
    let (code, log) = up.wait();
    assert_eq!(code, Some(0));
    check("the log", &log);

    check_refused(netqoe().args(["--config", &file, "notify", "test"]));
    assert!(run(netqoe().args(["doctor", "--data"]).arg(&data)));
}

/// Whatever becomes of a measurement, what it was made with stays in the files.
#[test]
fn a_probe_says_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let token = write(folder.path(), "token", "planted-token-of-a-page");
    let password = write(folder.path(), "password", "planted-password");
    let targets = write(
        folder.path(),
        "targets.toml",
        &format!(
            "[[target]]\nurl = 'http://{AWAY}/a'\nbearer_token_file = '{token}'\nheader = 'X-Key: planted-key'\n\
             [[target]]\nurl = 'http://{AWAY}/b'\nuser = 'me'\npassword_file = '{password}'\nmethod = 'POST'\nbody = 'planted-body'\n\
             proxy = 'http://{AWAY}'\n"
        ),
    );
    for output in ["text", "json"] {
        check_refused(netqoe().args(["probe", "--once", "--targets-file", &targets, "--output", output]));
        let url = format!("http://{AWAY}/");
        let by_options = ["probe", "--once", &url, "--bearer-token-file", &token, "--output", output];
        check_refused(netqoe().args(by_options).args(["--header", "X-Key: planted-key"]));
    }
    for wrong in ["planted token", "planted\ntoken", ""] {
        write(folder.path(), "token", wrong);
        check_refused(netqoe().args(["probe", "--once", "--targets-file", &targets]));
    }
    let wrong =
        write(folder.path(), "wrong.toml", &format!("[[target]]\nurl = 'http://{AWAY}/'\nheader = 'planted'\n"));
    check_refused(netqoe().args(["probe", "--once", "--targets-file", &wrong]));
}

#[test]
fn a_cluster_says_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let (nats, database) = (NatsServer::start().unwrap(), Database::fresh().unwrap());
    // Neither server asks for a password, and both take one.
    let nats_url = nats.url().replacen("nats://", "nats://somebody:planted-nats-password@", 1);
    let (scheme, rest) = database.url().split_once("://").unwrap();
    let (user, place) = rest.split_once('@').unwrap();
    let user = user.split(':').next().unwrap();
    let database_url = format!("{scheme}://{user}:planted-database-password@{place}");
    let tokens = write(folder.path(), "tokens", &format!("{TOKEN}\n{BOUND}=one\n"));
    let start = |name: &str, options: &[&str]| {
        let admin = free_port().unwrap();
        let mut command = netqoe();
        command.env(ALL.0, ALL.1).arg(name).args(["--port", "0", "--admin-port", &admin.to_string()]).args(options);
        command
            .env("NETQOE_NATS_URL", &nats_url)
            .env("NETQOE_STREAM_MAX_BYTES", "100000000")
            .env("NETQOE_TOKENS_FILE", &tokens);
        command.env("NETQOE_CLUSTER_SECRET", "planted-cluster-secret");
        (Server::run(command, Default::default()), admin)
    };
    let (mut ingest, ingest_admin) = start("ingest", &[]);
    let (mut aggregate, aggregate_admin) = start("aggregate", &["--database-url", &database_url]);
    let port = ingest.port();
    eventually("ingest is ready", || get(port, "/readyz").is_ok_and(|answer| answer.status == 200));
    let right = format!("Bearer {TOKEN}");
    let sent = post(port, &[JSON, ("Authorization", &right)], event("e", "one").to_string()).unwrap();
    assert_eq!(sent.status, 200);
    for (server, admin) in [(&mut ingest, ingest_admin), (&mut aggregate, aggregate_admin)] {
        let port = server.port();
        eventually("the admin routes are there", || get(admin, "/admin/log-level").is_ok());
        check_routes(port, admin);
    }
    // The log goes away, which both have to say.
    drop(nats);
    eventually("ingest says so", || get(port, "/readyz").is_ok_and(|answer| answer.status == 503));
    let port = aggregate.port();
    eventually("the aggregate says so", || {
        let health = send(port, "GET", "/health", &[("Authorization", &right)], b"").unwrap();
        health.status == 503
    });
    check_routes(ingest.port(), ingest_admin);
    check_routes(port, aggregate_admin);
    for server in [ingest, aggregate] {
        server.terminate();
        check("the log", &server.wait().1);
    }
}

#[test]
fn what_is_refused_is_not_quoted() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let with_password = |scheme: &str| format!("{scheme}://somebody:planted-password@{AWAY}/name");
    let (http, postgres, mysql) = (with_password("http"), with_password("postgres"), with_password("mysql"));
    let nats = format!("nats://somebody:planted password@{AWAY}");
    for words in [
        &["up", "--data", &data, "--port", "0", "--tokens", "planted-token\nplanted-token"][..],
        &["up", "--data", &data, "--port", "0", "--tokens", "planted token"],
        &["up", "--data", &data, "--target", &http],
        &["up", "--data", &data, "--target", "http://127.0.0.1/", "--throughput-url", &http],
        &["probe", "--once", &http],
        &["probe", "--once", "http://127.0.0.1:1/", "--proxy", &http],
        &["probe", "--once", "http://127.0.0.1:1/", "--header", "planted header"],
        &["probe", "--target", "http://127.0.0.1/", "--endpoint", &http],
        &["migrate", "--database-url", &mysql],
        &["migrate", "--database-url", &format!("{postgres}?sslmode=planted")],
        &["migrate", "--database-url", "postgres://somebody:planted-password@127.0.0.1:port/name"],
        &["migrate", "--database-url", &postgres],
        &["incidents", "--database-url", "planted-password@host"],
        &["replay", "--input", "/dev/null", "--store", &mysql],
        &["ingest", "--port", "0", "--nats-url", &nats],
        &["log", "export", "--nats-url", &nats],
    ] {
        check_refused(netqoe().args(words));
    }
    for (name, value) in
        [("NETQOE_TOKENS", "planted-token="), ("NETQOE_DATABASE_URL", &mysql), ("NETQOE_STORE", &mysql)]
    {
        check_refused(
            netqoe()
                .args(["up", "--port", "0", "--listen", "0.0.0.0", "--data", &data])
                .env(name, value)
                .arg("--nothing"),
        );
        check_refused(netqoe().args(["migrate"]).env(name, value));
    }
    for text in [
        "[up]\ntokens = \"planted-token",
        "[up]\ntokens = \"planted-token\" \"planted-token\"",
        "[up]\ntokens = [[\"planted-token\"]]",
        "[up]\ntokens = { planted = 1 }\n",
        "[up]\ntoken = \"planted-token\"",
        "[aggregate]\ndatabase_url = \"mysql://somebody:planted-password@host/\"",
        "[[notify.receiver]]\nname = 'a'\nkind = 'email'\npassword = 'planted-password'",
        "[[notify.receiver]]\nname = 'a'\nkind = 'webhook'\nurl = 'http://somebody:planted-password@host/'",
        "[[notify.receiver]]\nname = 'a'\nkind = 'webhook'\nurl = 'planted-password'",
    ] {
        let file = write(folder.path(), "netqoe.toml", text);
        // A receiver may have any URL.
        run(netqoe().args(["--config", &file, "config", "check"]));
        check_refused(netqoe().args(["--config", &file, "up", "--port", "0", "--data", &data, "--nothing"]));
    }
}
