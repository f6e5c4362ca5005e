//! Prometheus, which reads metrics and evaluates rules, and the tool that checks these.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use crate::needs::{PROMETHEUS, PROMTOOL};
use crate::ports::free_port;
use crate::server::{self, Program, Server, is_a_server};

/// A Prometheus that scrapes some servers every second, as the job `netqoe`.
pub struct Prometheus {
    server: Server,
}

impl Prometheus {
    /// Scrapes these servers, and evaluates the rules of these files every second.
    ///
    /// # Errors
    /// Where it is not installed or does not start.
    pub fn start(servers: &[SocketAddr], rules: &[&Path]) -> anyhow::Result<Self> {
        let folder = server::folder("prometheus", None)?;
        let port = free_port()?;
        let configuration = folder.path().join("prometheus.yml");
        std::fs::write(&configuration, lines(servers, rules))?;
        let program = Program {
            path: PROMETHEUS.find()?,
            arguments: vec![
                format!("--config.file={}", configuration.display()),
                format!("--storage.tsdb.path={}", folder.path().join("data").display()),
                format!("--web.listen-address=127.0.0.1:{port}"),
            ],
            user: None,
            stop: Signal::TERM,
            is_ready: Box::new(move || TcpStream::connect(("127.0.0.1", port)).is_ok()),
        };
        Ok(Self { server: Server::start(program, port, folder)? })
    }
}

fn lines(servers: &[SocketAddr], rules: &[&Path]) -> String {
    let rules: String = rules.iter().map(|file| format!("  - {}\n", file.display())).collect();
    let servers: String = servers.iter().map(|server| format!("          - {server}\n")).collect();
    format!(
        "global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\n  evaluation_interval: 1s\nrule_files:\n{rules}\
         scrape_configs:\n  - job_name: netqoe\n    static_configs:\n      - targets:\n{servers}"
    )
}

/// Where `promtool` is.
///
/// # Errors
/// Where it is not installed.
pub fn promtool() -> anyhow::Result<PathBuf> {
    PROMTOOL.find()
}

is_a_server!(Prometheus);
