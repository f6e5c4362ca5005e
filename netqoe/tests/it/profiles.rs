//! Profiles of a running process, asked for as an operator does and read as pprof does.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};

use netqoe_testbed::{PprofProfile, free_port};
use serde_json::{Value, json};

use crate::support::{JSON, NO_RATE, PATIENCE, Server, event, eventually, get, netqoe, post, send, send_as_it_is};

const CPU: &str = "/debug/pprof/profile";
const HEAP: &str = "/debug/pprof/heap";
/// Of `netqoe_model`: what every event passes.
const PARSING: &str = "Event::parse";

/// The status and the body, which is no text.
fn get_bytes(port: u16, path: &str) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
        .write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes())
        .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    (head["HTTP/1.1 ".len()..][..3].parse().unwrap(), answer[end + 4..].to_vec())
}

fn up(folder: &std::path::Path, options: &[&str]) -> (Server, u16, u16) {
    let admin = free_port().unwrap();
    let port = admin.to_string();
    let (up, public) = Server::start_and_wait(folder, &[&["--admin-port", &port][..], &NO_RATE, options].concat());
    eventually("the admin routes are there", || get(admin, "/admin/log-level").is_ok());
    (up, public, admin)
}

#[test]
fn a_busy_process_says_where_its_time_goes() {
    let folder = tempfile::tempdir().unwrap();
    let (up, public, admin) = up(folder.path(), &["--pprof"]);
    assert_eq!(get(public, CPU).unwrap().status, 404);
    for wrong in ["0", "61", "-1", "x", "18446744073709551616"] {
        let refused = get(admin, &format!("{CPU}?seconds={wrong}")).unwrap();
        assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("invalid_request")), "{wrong}");
    }
    let by_another_name = [("Host", "evil.example"), ("Connection", "close")];
    let refused = send_as_it_is(admin, "GET", HEAP, &by_another_name, b"").unwrap();
    assert_eq!(refused.status, 403, "a site that points a name of its own at this machine");

    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let events: Vec<Value> = (0..500).map(|number| event(&format!("e-{number}"), "c")).collect();
            let body = json!(events).to_string();
            while !stop.load(Ordering::Relaxed) {
                assert_eq!(post(public, &[JSON], &body).unwrap().status, 200);
            }
        });
        let first = scope.spawn(|| get_bytes(admin, &format!("{CPU}?seconds=3")));
        eventually("one is taken", || up.has_logged("a profile of the CPU is taken for 3 s"));
        let second = get(admin, &format!("{CPU}?seconds=1")).unwrap();
        let (status, profile) = first.join().unwrap();
        stop.store(true, Ordering::Relaxed);
        assert_eq!(status, 200);
        assert_eq!((second.status, &second.json()["error"]), (409, &json!("profile_in_progress")));
        let profile = PprofProfile::read(&profile).unwrap();
        assert_eq!(profile.sample_types, [("cpu".to_owned(), "nanoseconds".to_owned())]);
        let of_parsing = profile.of_function(PARSING);
        assert!(of_parsing > 0, "of {} ns: {:?}", profile.total, profile.by_function);
        assert!(profile.labels.iter().any(|thread| thread.starts_with("tokio")), "{:?}", profile.labels);
    });
    up.stop();
}

/// The gate builds netqoe as it is shipped, with mimalloc; what jemalloc says is tested in `profile/` as well.
#[test]
fn the_heap_has_a_profile_with_jemalloc_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (up, _, admin) = up(folder.path(), &["--pprof"]);
    let (status, body) = get_bytes(admin, HEAP);
    if cfg!(feature = "heap-profile") {
        let profile = PprofProfile::read(&body).unwrap();
        assert_eq!((status, profile.sample_types), (200, vec![("inuse_space".to_owned(), "bytes".to_owned())]));
    } else {
        let refused: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((status, &refused["error"]), (501, &json!("not_implemented")));
        assert!(refused["message"].as_str().unwrap().contains("--features heap-profile"), "{refused}");
    }
    up.stop();
}

#[test]
fn profiles_are_off_unless_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let (up, public, admin) = up(folder.path(), &[]);
    for (port, path) in [(admin, CPU), (admin, HEAP), (public, CPU), (public, HEAP)] {
        assert_eq!(send(port, "GET", path, &[], b"").unwrap().status, 404, "{path}");
    }
    up.stop();
    let without_port = netqoe().args(["up", "--pprof", "--port", "0", "--data"]).arg(folder.path()).output().unwrap();
    assert_eq!(without_port.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&without_port.stderr).contains("give --admin-port, too"));
}
