//! Three nats-servers that keep streams together.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::ops::{Deref, DerefMut};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::nats::{NatsOptions, NatsServer};
use crate::nats_part::Part;
use crate::ports::free_port;

/// As many as it takes to lose one and still have a majority.
const SERVERS: usize = 3;
/// Who they run as where this process is root, so that a packet filter tells them apart: users that every Debian has,
/// and that nothing here runs as.
const USERS: [&str; SERVERS] = ["games", "lp", "news"];
/// How long servers may take to find each other, or one to catch up with the others, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a server of version 2.9 answers that is up to date but for a consumer, which has been deleted meanwhile or will be.
const LACKS_A_CONSUMER: &str = "\"error\":\"JetStream consumer ";
/// How often they are looked at.
const EVERY: Duration = Duration::from_millis(50);
/// How long one of them may take to answer how it is.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

/// A cluster of three nats-servers with JetStream, each with a folder of its own.
pub struct NatsCluster {
    members: Vec<Member>,
}

/// One server of a cluster; it can all that a [`NatsServer`] can. After [`Server::restart`](crate::Server::restart) it
/// takes connections, and still has to catch up with the others: [`NatsCluster::wait_until_healthy`].
pub struct Member {
    server: NatsServer,
    name: String,
    user: &'static str,
    /// Where the others connect to it.
    port: u16,
    monitoring: u16,
}

impl NatsCluster {
    /// Starts all, and waits until they have come together.
    ///
    /// # Errors
    /// Where nats-server is not installed, or they do not come together.
    pub fn start() -> anyhow::Result<Self> {
        let ports = (0..SERVERS).map(|_| free_port()).collect::<Result<Vec<_>, _>>()?;
        let routes = ports.iter().map(|port| format!("nats://127.0.0.1:{port}")).collect::<Vec<_>>().join(", ");
        let member =
            |(number, port): (usize, &u16)| Member::start(format!("testbed-{number}"), USERS[number], *port, &routes);
        let cluster = Self { members: ports.iter().enumerate().map(member).collect::<Result<_, _>>()? };
        cluster.wait_until_healthy()?;
        Ok(cluster)
    }

    /// Where clients connect: the URLs of all servers, separated by commas.
    pub fn url(&self) -> String {
        self.members.iter().map(|member| member.url()).collect::<Vec<_>>().join(",")
    }

    /// The version of all servers, as `2.9.10`.
    ///
    /// # Errors
    /// Where the first of them does not say so.
    pub fn version(&self) -> anyhow::Result<String> {
        self.members[0].version()
    }

    /// The server of this name, as JetStream calls the leader of a stream.
    pub fn member(&mut self, name: &str) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.name == name)
    }

    /// Names of the servers.
    pub fn names(&self) -> Vec<String> {
        self.members.iter().map(|member| member.name.clone()).collect()
    }

    /// Parts the server of this name from the others, for as long as what is returned lives; clients reach it as before.
    ///
    /// # Errors
    /// Where this process is not root, or iptables is not installed.
    pub fn part(&self, name: &str) -> anyhow::Result<Part> {
        let (parted, others): (Vec<_>, Vec<_>) = self.members.iter().partition(|member| member.name == name);
        let parted = parted.first().with_context(|| format!("there is no server {name}"))?;
        let others: Vec<_> = others.iter().map(|member| member.port).collect();
        Part::new(parted.user, parted.port, &others)
    }

    /// Waits until every server has a leader and all that it keeps.
    ///
    /// # Errors
    /// Where one of them does not come so far; with what it says.
    pub fn wait_until_healthy(&self) -> anyhow::Result<()> {
        let started = Instant::now();
        for Member { server, name, monitoring, .. } in &self.members {
            loop {
                let answer = health(*monitoring).unwrap_or_default();
                if answer.starts_with("HTTP/1.1 200 ") || answer.contains(LACKS_A_CONSUMER) {
                    break;
                }
                ensure!(started.elapsed() < PATIENCE, "{name} is not healthy: {answer}\n{}", server.log()?);
                sleep(EVERY);
            }
        }
        Ok(())
    }
}

impl Member {
    fn start(name: String, user: &'static str, port: u16, routes: &str) -> anyhow::Result<Self> {
        let monitoring = free_port()?;
        let configuration = format!(
            "http: 127.0.0.1:{monitoring}\n\
             cluster {{ name: testbed, listen: 127.0.0.1:{port}, routes: [{routes}] }}\n"
        );
        let options = NatsOptions { name: name.clone(), configuration, user: Some(user), ..Default::default() };
        Ok(Self { server: NatsServer::start_with(&options)?, name, user, port, monitoring })
    }
}

/// What a server answers to the question how it is.
fn health(port: u16) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(ANSWER_WAIT))?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

impl Deref for Member {
    type Target = NatsServer;

    fn deref(&self) -> &NatsServer {
        &self.server
    }
}

impl DerefMut for Member {
    fn deref_mut(&mut self) -> &mut NatsServer {
        &mut self.server
    }
}
