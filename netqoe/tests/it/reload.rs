//! What changes while a process runs, and what does not.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use netqoe_testbed::free_port;
use serde_json::json;

use crate::support::{Answer, JSON, PATIENCE, Server, event, eventually, get, netqoe, post, send};

const AGAIN: &str = "the configuration was read again";
const STAYS: &str = "the configuration was not read again, and everything stays as it is";
const KEPT: &str = "a-token-that-is-kept";
const GONE: &str = "a-token-that-is-withdrawn";
const NEW: &str = "a-token-that-is-new";

/// `up` with this file, its port and its admin port.
fn up(folder: &Path, file: &str) -> (Server, u16, u16) {
    let admin = free_port().unwrap();
    std::fs::write(folder.join("netqoe.toml"), file).unwrap();
    let mut command = netqoe();
    command.arg("--config").arg(folder.join("netqoe.toml")).args(["up", "--port", "0", "--data"]);
    command.arg(folder.join("data")).args(["--admin-port", &admin.to_string()]);
    let mut up = Server::run(command, Default::default());
    let port = up.port();
    eventually("the server is ready", || get(port, "/readyz").is_ok_and(|answer| answer.status == 200));
    eventually("the admin routes are there", || get(admin, "/admin/log-level").is_ok());
    (up, port, admin)
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn sends(port: u16, token: &str) -> u16 {
    post(port, &[JSON, ("Authorization", &bearer(token))], event("e", "c").to_string()).unwrap().status
}

fn reads(port: u16, header: (&str, &str)) -> u16 {
    send(port, "GET", "/api/v1/clients", &[header], b"").unwrap().status
}

fn reload(admin: u16) -> Answer {
    send(admin, "POST", "/-/reload", &[], b"").unwrap()
}

/// A live stream that has begun.
fn live(port: u16, header: (&str, &str)) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let (name, value) = header;
    stream
        .write_all(
            format!("GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{name}: {value}\r\n\r\n")
                .as_bytes(),
        )
        .unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    stream
}

/// Whether the server has ended the stream, now or within this time.
fn ends(stream: &mut TcpStream, within: Duration) -> bool {
    stream.set_read_timeout(Some(within)).unwrap();
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        // A chunked body ends with an empty chunk.
        Ok(_) => true,
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            rest.ends_with(b"0\r\n\r\n")
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn tokens_hold_and_end_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    std::fs::write(&tokens, format!("{KEPT}\n{GONE}\n")).unwrap();
    let (up, port, admin) = up(folder.path(), &format!("[up]\ntokens_file = {tokens:?}\n"));
    assert_eq!([KEPT, GONE, NEW].map(|token| sends(port, token)), [200, 200, 401]);
    let signed_in =
        send(port, "POST", "/api/v1/session", &[JSON], json!({ "token": GONE }).to_string().as_bytes()).unwrap();
    let cookie = signed_in.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    assert_eq!(reads(port, ("Cookie", &cookie)), 200);
    let mut of_session = live(port, ("Cookie", &cookie));
    let mut of_gone = live(port, ("Authorization", &bearer(GONE)));
    let mut of_kept = live(port, ("Authorization", &bearer(KEPT)));

    // What is wrong changes nothing, and is not quoted.
    std::fs::write(&tokens, format!("{NEW}\n{NEW}=client\n")).unwrap();
    up.signal("HUP");
    eventually("it is refused", || up.has_logged(STAYS));
    assert_eq!([KEPT, GONE, NEW].map(|token| sends(port, token)), [200, 200, 401]);
    let refused = reload(admin);
    assert_eq!((refused.status, &refused.json()["error"]), (500, &json!("invalid_configuration")));
    assert!(refused.body.contains("line 2") && !refused.body.contains(NEW), "{refused:?}");

    std::fs::write(&tokens, format!("{NEW}\n{KEPT}\n")).unwrap();
    up.signal("HUP");
    eventually("it is read", || up.has_logged(&format!("{AGAIN}; changed: tokens (1 new, 1 withdrawn)")));
    assert_eq!([KEPT, GONE, NEW].map(|token| sends(port, token)), [200, 401, 200]);
    assert_eq!(reads(port, ("Cookie", &cookie)), 401, "a session ends with its token");
    assert!(ends(&mut of_session, PATIENCE) && ends(&mut of_gone, PATIENCE), "so does a live stream");
    assert!(!ends(&mut of_kept, Duration::from_millis(100)), "and no other");
    assert_eq!(reload(admin).json(), json!({ "changed": [], "needs_restart": [] }));
    assert!(![KEPT, GONE, NEW].iter().any(|token| up.has_logged(token)));
    up.stop();
}

#[test]
fn levels_change_and_all_else_needs_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.toml");
    let shown = netqoe().args(["rules", "show", "steady"]).output().unwrap();
    let steady = String::from_utf8(shown.stdout).unwrap();
    std::fs::write(&rules, &steady).unwrap();
    let (up, port, admin) = up(folder.path(), &format!("log_level = \"info\"\n[up]\nrules = {rules:?}\n"));
    assert_eq!(send(port, "POST", "/-/reload", &[], b"").unwrap().status, 404, "on the admin port alone");
    assert_eq!(get(admin, "/-/reload").unwrap().status, 405);
    assert_eq!(reload(admin).json(), json!({ "changed": [], "needs_restart": [] }));

    // The rules' file says something else under the same name.
    let other = steady.replacen("name = \"steady\"", "name = \"mine\"", 1);
    assert_ne!(other, steady);
    std::fs::write(&rules, other).unwrap();
    let file = format!("log_level = \"warn\"\n[up]\nrules = {rules:?}\nwindow = \"30s\"\nmax_pairs = 7\n");
    std::fs::write(folder.path().join("netqoe.toml"), file).unwrap();
    let answer = reload(admin).json();
    assert_eq!(answer["changed"], json!(["log level (warn)"]));
    let mut needs_restart: Vec<_> =
        answer["needs_restart"].as_array().unwrap().iter().map(|o| o.as_str().unwrap()).collect();
    needs_restart.sort_unstable();
    assert_eq!(needs_restart, ["--max-pairs", "--rules", "--window"]);
    eventually("it is said", || up.has_logged("changed in the configuration and need a restart"));

    // What is not understood changes nothing at all.
    for wrong in
        ["log_level = \"info\"\n[up]\nwindow = \"30d\"", "log_level = \"info\"\nnothing", "log_level = \"netqoe=loud\""]
    {
        std::fs::write(folder.path().join("netqoe.toml"), wrong).unwrap();
        let refused = reload(admin);
        assert_eq!(refused.status, 500, "{wrong}: {refused:?}");
        assert!(refused.json()["message"].as_str().unwrap().starts_with(STAYS), "{refused:?}");
    }
    std::fs::remove_file(folder.path().join("netqoe.toml")).unwrap();
    assert_eq!(reload(admin).status, 500);
    assert_eq!(get(admin, "/admin/log-level").unwrap().json(), json!({ "log_level": "warn" }));
    up.stop();
}

/// A target, and how often it has been measured.
struct Counted(TcpListener, u32);

impl Counted {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener, 0)
    }

    fn url(&self) -> String {
        format!("tcp://{}", self.0.local_addr().unwrap())
    }

    fn count(&mut self) -> u32 {
        while self.0.accept().is_ok() {
            self.1 += 1;
        }
        self.1
    }
}

#[test]
fn targets_begin_and_end_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let (mut a, mut b) = (Counted::new(), Counted::new());
    let file = |targets: &[String]| format!("[up]\ninterval = \"100ms\"\ntarget = {targets:?}\n");
    // None at first: the probe begins with the first target.
    let (up, _, admin) = up(folder.path(), &file(&[]));
    let change = |targets: &[String]| {
        std::fs::write(folder.path().join("netqoe.toml"), file(targets)).unwrap();
        assert_eq!(
            reload(admin).json(),
            json!({ "changed": [format!("targets ({})", targets.len())], "needs_restart": [] })
        );
    };
    change(&[a.url()]);
    eventually("the first is measured", || a.count() > 2);
    assert_eq!(b.count(), 0);
    change(&[a.url(), b.url()]);
    eventually("both are measured", || {
        a.count();
        b.count() > 2
    });
    change(&[b.url()]);
    // One measurement may be under way.
    std::thread::sleep(Duration::from_millis(100));
    let (last, so_far) = (a.count(), b.count());
    eventually("the other goes on", || b.count() > so_far + 5);
    assert!(a.count() <= last + 1, "it is measured although it is gone");
    up.stop();
}
