//! A running netqoe that listens for requests.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::{eventually, get, last_words, netqoe};

/// What a command logs once it takes requests, before its port.
const LISTENING: &str = "listening on http";

/// A command that listens on a free port; killed where a test forgets it.
pub(crate) struct Server {
    process: Child,
    /// 0 until it listens.
    port: Arc<AtomicU16>,
    /// What it has logged, and the thread that listens to it.
    log: Arc<Mutex<String>>,
    listener: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts `up`, and does not wait for anything.
    pub(crate) fn start(data: &Path, options: &[&str]) -> Self {
        Self::start_at(Arc::default(), data, options)
    }

    /// The same; once it listens, it says so in `port`, which is 0 until then.
    pub(crate) fn start_at(port: Arc<AtomicU16>, data: &Path, options: &[&str]) -> Self {
        let mut command = netqoe();
        command.args(["up", "--port", "0", "--data"]).arg(data).args(options);
        Self::run(command, port)
    }

    /// Starts `up`, and waits until it takes events.
    pub(crate) fn start_and_wait(data: &Path, options: &[&str]) -> (Self, u16) {
        let mut server = Self::start(data, options);
        let port = server.port();
        eventually("the server is ready", || get(port, "/readyz").is_ok_and(|answer| answer.status == 200));
        (server, port)
    }

    /// Runs a command; once it listens, it says so in `port`, which is 0 until then.
    pub(crate) fn run(mut command: Command, port: Arc<AtomicU16>) -> Self {
        port.store(0, Ordering::SeqCst);
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let listener = std::thread::spawn({
            let (port, log) = (Arc::clone(&port), Arc::clone(&log));
            move || {
                for line in lines.map_while(Result::ok) {
                    if let Some((_, listens_on)) = line.split_once(LISTENING) {
                        let (_, address) = listens_on.split_once("://").unwrap();
                        let (_, port_on) = address.split_once(':').unwrap();
                        let digits: String = port_on.chars().take_while(char::is_ascii_digit).collect();
                        port.store(digits.parse().unwrap(), Ordering::SeqCst);
                    }
                    *log.lock().unwrap() += &(line + "\n");
                }
            }
        });
        Self { process, port, log, listener: Some(listener) }
    }

    /// Where it listens, once it does.
    pub(crate) fn port(&mut self) -> u16 {
        let (process, log) = (&mut self.process, &self.log);
        eventually("the server listens", || {
            assert_eq!(process.try_wait().unwrap(), None, "it has ended: {}", log.lock().unwrap());
            self.port.load(Ordering::SeqCst) != 0
        });
        self.port.load(Ordering::SeqCst)
    }

    /// Where it listens, or listened; 0 where it never did.
    pub(crate) fn last_port(&self) -> u16 {
        self.port.load(Ordering::SeqCst)
    }

    /// kill -9.
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// SIGTERM, after which it drains and exits with 0.
    pub(crate) fn stop(mut self) {
        self.terminate();
        let status = self.process.wait().unwrap();
        assert_eq!(status.code(), Some(0), "{}", self.log.lock().unwrap());
    }

    /// SIGTERM.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    /// A signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.process.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    pub(crate) fn has_logged(&self, text: &str) -> bool {
        self.log.lock().unwrap().contains(text)
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// The last lines that it has logged, in one.
    pub(crate) fn last_words(&self) -> String {
        last_words(&self.log.lock().unwrap())
    }

    /// How it has ended; none while it runs.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.process.try_wait().unwrap()
    }

    /// The most memory that it has had resident at once, in bytes; none once it has ended.
    pub(crate) fn peak_memory_bytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix("kB")?.trim();
        Some(kibibytes.parse::<u64>().ok()? * 1024)
    }

    /// Waits for its end, and returns its exit code and what it has logged.
    pub(crate) fn wait(mut self) -> (Option<i32>, String) {
        let mut status = None;
        eventually("the server has ended", || {
            status = self.ended();
            status.is_some()
        });
        self.listener.take().unwrap().join().unwrap();
        let log = self.log.lock().unwrap().clone();
        (status.and_then(|status| status.code()), log)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already where the test was not cut short.
        self.process.kill().unwrap_or_default();
        self.process.wait().map(drop).unwrap_or_default();
    }
}
