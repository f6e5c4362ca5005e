//! What systemd is told: when a process works, reads its configuration again, lives, hangs, and stops.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};

use netqoe_testbed::{NatsServer, free_port};

use crate::support::{JSON, PATIENCE, Server, event, eventually, get, netqoe, post, send};

/// So long may a process be silent. It looks at itself four times as often.
const WATCHDOG_US: &str = "400000";
const LIVES: &str = "WATCHDOG=1";

/// The socket that a unit of Type=notify gives its process: what was told through it, in order. All of it is read at once, as systemd does.
struct Systemd(Receiver<String>);

impl Systemd {
    fn starts(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> (Server, Self) {
        let path = folder.join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let (tell, told) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 1 << 12];
            while let Ok(length) = socket.recv(&mut bytes) {
                if tell.send(String::from_utf8(bytes[..length].to_vec()).unwrap()).is_err() {
                    return;
                }
            }
        });
        let mut command = netqoe();
        command.args(arguments).env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", WATCHDOG_US);
        command.envs(variables.iter().copied());
        (Server::run(command, Default::default()), Self(told))
    }

    /// The next thing that is told, a line for each part of it.
    fn next(&self) -> String {
        self.0.recv_timeout(PATIENCE).expect("systemd is told nothing")
    }

    /// The next thing that is told and begins so.
    fn next_that_begins(&self, begins: &str) -> String {
        loop {
            let told = self.next();
            if told.starts_with(begins) {
                return told;
            }
        }
    }
}

#[test]
fn up_tells_of_its_start_its_life_its_reloads_and_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let (data, admin) = (folder.path().join("data"), free_port().unwrap());
    let arguments = ["up", "--port", "0", "--admin-port", &admin.to_string(), "--data", data.to_str().unwrap()];
    let (mut up, systemd) = Systemd::starts(folder.path(), &arguments, &[]);
    let told = systemd.next_that_begins("READY=1");
    assert_eq!(told, "READY=1\n");
    let port = up.port();
    assert_eq!(get(port, "/readyz").unwrap().status, 200, "what is ready takes requests");
    systemd.next_that_begins(LIVES);

    eventually("the admin routes are there", || get(admin, "/admin/log-level").is_ok());
    send(admin, "POST", "/-/reload", &[], b"").unwrap();
    let reloading = systemd.next_that_begins("RELOADING=1");
    let since = reloading.lines().nth(1).and_then(|line| line.strip_prefix("MONOTONIC_USEC="));
    assert!(since.is_some_and(|since| since.parse::<u64>().is_ok()), "{reloading}");
    systemd.next_that_begins("READY=1");

    // What comes and is committed keeps it alive.
    post(port, &[JSON], event("e-1", "c").to_string()).unwrap();
    eventually("the event is committed", || {
        get(port, "/api/v1/clients").is_ok_and(|answer| answer.body.contains("\"c\""))
    });
    systemd.next_that_begins(LIVES);
    up.stop();
    systemd.next_that_begins("STOPPING=1");
}

#[cfg(feature = "planted-faults")]
#[test]
fn a_pipeline_that_hangs_is_not_said_to_live() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let arguments = ["up", "--port", "0", "--data", data.to_str().unwrap()];
    let (mut up, systemd) = Systemd::starts(folder.path(), &arguments, &[("NETQOE_PLANT", "hang=e-2")]);
    let port = up.port();
    post(port, &[JSON], event("e-1", "c").to_string()).unwrap();
    systemd.next_that_begins(LIVES);
    post(port, &[JSON], event("e-2", "c").to_string()).unwrap();
    let status = systemd.next_that_begins("STATUS=the pipeline stands still");
    assert!(status.contains("records of the log wait"), "{status}");
    // Requests are still answered, and each further look finds the same: none says that the process lives.
    assert_eq!(get(port, "/livez").unwrap().status, 200);
    for _ in 0..8 {
        let told = systemd.next();
        assert!(told.starts_with("STATUS=the pipeline stands still"), "{told}");
    }
    up.kill();
}

#[test]
fn a_probe_and_an_ingest_tell_of_their_start_and_their_life() {
    let nats = NatsServer::start().unwrap();
    let url = nats.url();
    let target = format!("tcp://127.0.0.1:{}", free_port().unwrap());
    for arguments in [vec!["probe", "--target", &target], vec!["ingest", "--port", "0", "--nats-url", &url]] {
        let folder = tempfile::tempdir().unwrap();
        let (process, systemd) = Systemd::starts(folder.path(), &arguments, &[]);
        systemd.next_that_begins("READY=1");
        systemd.next_that_begins(LIVES);
        process.stop();
        systemd.next_that_begins("STOPPING=1");
    }
}
