//! The configuration of nginx: it is understood, and each request reaches whom it is for, or nobody.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use netqoe_testbed::free_port;
use rustix::process::{Pid, Signal, kill_process};

use super::{deploy, run};

/// How long nginx may take to start on a machine that is busy.
const START: Duration = Duration::from_secs(60);

/// The shipped configuration, on free ports and with a certificate of its own.
struct Moved {
    folder: tempfile::TempDir,
    https: u16,
    http: u16,
}

impl Moved {
    /// In front of these servers, which stand for all of those that are named.
    fn new(upstreams: &str, servers: &[(&str, u16)]) -> Self {
        let (folder, http, https) = (tempfile::tempdir().unwrap(), free_port().unwrap(), free_port().unwrap());
        let certificate = folder.path().join("server.crt");
        let key = folder.path().join("server.key");
        let options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -keyout";
        let mut words: Vec<_> = options.split(' ').collect();
        words.extend([key.to_str().unwrap(), "-out", certificate.to_str().unwrap()]);
        run("openssl", &words);
        let mut moved = std::fs::read_to_string(deploy("nginx/nginx.conf")).unwrap();
        for (from, to) in [
            ("listen 80;", format!("listen 127.0.0.1:{http};")),
            ("listen 443 ", format!("listen 127.0.0.1:{https} ")),
            ("/etc/nginx/tls", folder.path().display().to_string()),
        ] {
            assert!(moved.contains(from), "{from}");
            moved = moved.replace(from, &to);
        }
        std::fs::write(folder.path().join("nginx.conf"), moved).unwrap();
        let mut upstreams = std::fs::read_to_string(deploy(upstreams)).unwrap();
        for (server, port) in servers {
            assert!(upstreams.contains(server), "{server}");
            upstreams = upstreams.replace(server, &format!("127.0.0.1:{port}"));
        }
        std::fs::write(folder.path().join("upstreams.conf"), upstreams).unwrap();
        Self { folder, https, http }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("nginx.conf")
    }

    /// What takes the place of the shipped system's paths.
    fn directives(&self) -> String {
        let user = if rustix::process::geteuid().is_root() { "user root; " } else { "" };
        format!("{user}pid {}/pid;", self.folder.path().display())
    }

    fn check(&self) {
        run("nginx", &["-t", "-e", "stderr", "-g", &self.directives(), "-c", self.file().to_str().unwrap()]);
    }

    fn start(&self) -> Running {
        let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap());
        let directives = format!("daemon off; {}", self.directives());
        let mut command = Command::new("env");
        command.arg(format!("PATH={path}")).args(["nginx", "-e", "stderr", "-g", &directives, "-c"]).arg(self.file());
        let running = Running(command.spawn().unwrap());
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.https)).is_err() {
            assert!(started.elapsed() < START, "nginx does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        running
    }

    /// What curl gets, and before it the version of HTTP and the status.
    fn get(&self, path: &str, options: &[&str]) -> String {
        let url = format!("https://127.0.0.1:{}{path}", self.https);
        run("curl", &[&["-sk", "--http2", "-w", "\n%{http_version} %{http_code}", &url], options].concat())
    }
}

/// Its workers end with it only where it is asked to stop.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.0.wait();
    }
}

/// A server that answers with its name and the head of the request. The live stream begins and never ends.
fn echo(name: &'static str) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(name, stream));
        }
    });
    port
}

fn answer(name: &str, mut stream: TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let head: Vec<_> = lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    if head.first().is_some_and(|line| line.contains("/api/v1/live")) {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")?;
        stream.write_all(b"d\r\ndata: first\n\n\r\n")?;
        return lines.try_for_each(|line| line.map(drop));
    }
    let body = format!("{name}\n{}\n", head.join("\n").to_lowercase());
    write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// More than the buffers of all sockets on the way hold.
const FLOOD_BYTES: usize = 256 << 20;
/// Whoever takes nothing for so long is held back by the reader.
const HELD_BACK: Duration = Duration::from_secs(3);

/// A server that writes a long live stream, and says whether somebody who does not read it holds it back.
fn flood() -> (u16, Receiver<bool>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (told, held_back) = channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_write_timeout(Some(HELD_BACK)).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n").unwrap();
        let piece = vec![b':'; 64 << 10];
        let error = (0..FLOOD_BYTES / piece.len()).find_map(|_| stream.write_all(&piece).err());
        told.send(error.is_some_and(|error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)))
            .unwrap();
    });
    (port, held_back)
}

fn before(ingest: u16, aggregate: u16) -> Moved {
    let ingests = [("127.0.0.1:8081", ingest), ("127.0.0.1:8083", ingest)];
    let aggregates = [("127.0.0.1:8082", aggregate), ("127.0.0.1:8182", aggregate)];
    Moved::new("nginx/upstreams.conf", &[ingests, aggregates].concat())
}

#[test]
fn nginx_reads_its_configuration() {
    before(1, 2).check();
    Moved::new("compose/upstreams.conf", &[("ingest-1:8081", 1), ("ingest-2:8081", 2), ("aggregate:8082", 3)]).check();
}

#[test]
fn each_request_reaches_whom_it_is_for() {
    let moved = before(echo("ingest"), echo("aggregate"));
    let _running = moved.start();
    for (path, server) in [
        ("/api/v1/events?client_id=c", "aggregate"),
        ("/readyz", "ingest"),
        ("/", "aggregate"),
        ("/assets/page.js", "aggregate"),
        ("/api/v1/overview?from=1", "aggregate"),
        ("/api/v1/dead-letters", "aggregate"),
    ] {
        let got = moved.get(path, &[]);
        assert!(got.starts_with(&format!("{server}\nget {path} http/1.1\n")), "{path}: {got}");
        assert!(got.ends_with("\n2 200"), "{path}: {got}");
    }
    let sent = moved.get("/api/v1/events", &["--data", "{}"]);
    assert!(sent.starts_with("ingest\npost /api/v1/events http/1.1\n"), "{sent}");
    for path in [
        "/metrics",
        "//metrics",
        "/metric%73",
        "/assets/../health",
        "/livez",
        "/admin/flush",
        "/api/v1/dead-letters/3-17-0/replay",
    ] {
        let got = moved.get(path, &["--path-as-is"]);
        assert!(got.ends_with("\n2 404") && !got.contains("aggregate") && !got.contains("ingest"), "{path}: {got}");
    }
}

#[test]
fn netqoe_learns_how_it_is_asked() {
    let moved = before(echo("ingest"), echo("aggregate"));
    let _running = moved.start();
    let forged = ["-H", "X-Forwarded-For: 192.0.2.1", "-H", "X-Forwarded-Proto: http", "-H", "Host: qoe.example"];
    for path in ["/", "/api/v1/events"] {
        let got = moved.get(path, &forged);
        for line in ["\nhost: qoe.example\n", "\nx-forwarded-for: 127.0.0.1\n", "\nx-forwarded-proto: https\n"] {
            assert!(got.contains(line), "{path}: {got}");
        }
        assert!(!got.contains("192.0.2.1"), "{got}");
    }
    let url = format!("http://127.0.0.1:{}/api/v1/events", moved.http);
    let got = run("curl", &["-s", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", &url]);
    assert_eq!(got, "308 https://127.0.0.1/api/v1/events");
}

#[test]
fn the_live_stream_arrives_while_it_is_open() {
    let moved = before(echo("ingest"), echo("aggregate"));
    let _running = moved.start();
    let mut curl = Command::new("curl");
    curl.args(["-skN", "--max-time", "60"]).arg(format!("https://127.0.0.1:{}/api/v1/live", moved.https));
    let mut curl = curl.stdout(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 11];
    let arrived = curl.stdout.as_mut().unwrap().read_exact(&mut first);
    curl.kill().unwrap();
    curl.wait().unwrap();
    arrived.unwrap();
    assert_eq!(&first, b"data: first");
}

/// netqoe drops a reader that is too slow, and tells it so. It must be able to see one.
#[test]
fn a_slow_reader_of_the_live_stream_holds_it_back() {
    let (aggregate, held_back) = flood();
    let moved = before(echo("ingest"), aggregate);
    let _running = moved.start();
    let mut curl = Command::new("curl");
    curl.args(["-skN"]).arg(format!("https://127.0.0.1:{}/api/v1/live", moved.https));
    // Nobody reads what it prints.
    let mut curl = curl.stdout(Stdio::piped()).spawn().unwrap();
    let held_back = held_back.recv();
    curl.kill().unwrap();
    curl.wait().unwrap();
    assert!(held_back.unwrap(), "nginx has taken {FLOOD_BYTES} bytes for a client that reads nothing");
}
