//! nginx in front of several HTTP servers.

use std::net::{SocketAddr, TcpStream};

use rustix::process::Signal;

use crate::needs::{NGINX, is_root};
use crate::ports::free_port;
use crate::server::{self, Program, Server, is_a_server};

/// An nginx that hands each request to the server with the fewest of them, as in the guide's configuration.
pub struct Nginx {
    server: Server,
}

impl Nginx {
    /// In front of servers at these addresses, for everything below `/`.
    ///
    /// # Errors
    /// Where it is not installed or does not start.
    pub fn start(servers: &[SocketAddr]) -> anyhow::Result<Self> {
        let folder = server::folder("nginx", None)?;
        let port = free_port()?;
        let configuration = folder.path().join("nginx.conf");
        std::fs::write(&configuration, lines(port, servers, &folder.path().display().to_string()))?;
        let program = Program {
            path: NGINX.find()?,
            arguments: ["-e", "stderr", "-c"]
                .map(str::to_owned)
                .into_iter()
                .chain([configuration.display().to_string()])
                .collect(),
            user: None,
            stop: Signal::TERM,
            is_ready: Box::new(move || TcpStream::connect(("127.0.0.1", port)).is_ok()),
        };
        Ok(Self { server: Server::start(program, port, folder)? })
    }

    /// Where clients send their requests.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port())
    }
}

fn lines(port: u16, servers: &[SocketAddr], folder: &str) -> String {
    let servers: String = servers.iter().map(|server| format!("    server {server};\n")).collect();
    // Its workers would run as somebody who may not write here.
    let user = if is_root() { "user root;\n" } else { "" };
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("  {kind}_temp_path {folder}/{kind};\n"))
        .collect();
    format!(
        "{user}daemon off;\n\
         worker_processes 1;\n\
         pid {folder}/pid;\n\
         error_log stderr;\n\
         events {{ worker_connections 1024; }}\n\
         http {{\n\
         {temporary}  access_log off;\n  upstream ingest_backend {{\n    least_conn;\n{servers}  }}\n  \
         server {{\n    listen 127.0.0.1:{port};\n    location / {{ proxy_pass http://ingest_backend; }}\n  }}\n\
         }}\n"
    )
}

is_a_server!(Nginx);
