//! The connection to NATS. Once made, it comes back by itself for as long as it takes.

use std::error::Error;
use std::future::Future;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::{
    Client, ConnectError, ConnectErrorKind, ConnectOptions, Event, ReconnectToServer, ServerAddr, jetstream,
};
use netqoe_tls::FileError;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio::sync::watch;

use super::breaks::Break;
use super::options::{NatsAuthentication, NatsOptions};
use super::servers::{Servers, Task};
use super::tls_fault;
use crate::LogError;

/// How long one try to connect, or one question to JetStream, may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a server that is away may take to come back before requests to it fail. Also how long servers may
/// take to elect a leader, which takes ten seconds without an answer, and another process to create a stream.
pub(super) const AWAY: Duration = Duration::from_secs(30);
/// Between two tries of what did not work for the moment.
const TRY_AGAIN: Duration = Duration::from_millis(100);
/// How often the server is asked whether it is there while nothing else comes from it: three times unanswered, and the
/// connection is made anew.
const PING_EVERY: Duration = Duration::from_secs(5);
/// Longest pause between two tries to come back: short, so that events wait no longer than the server is away.
const MAX_RECONNECT_PAUSE: Duration = Duration::from_millis(250);

/// Whether the connection stands, and how often it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Link {
    pub connected: bool,
    pub made: u64,
    /// Since when it stands, or stood.
    since: Option<Instant>,
}

/// A connection to NATS and the JetStream behind it.
#[derive(Clone)]
pub(super) struct Connection {
    pub client: Client,
    pub jetstream: jetstream::Context,
    /// The servers' URLs, without what is secret in them.
    pub servers: String,
    pub link: watch::Receiver<Link>,
    choice: Arc<Servers>,
    options: Arc<NatsOptions>,
}

impl Connection {
    /// Connects, trying each server once.
    pub(super) async fn open(options: &NatsOptions) -> Result<Self, LogError> {
        let (addresses, authentication) = parse_servers(options)?;
        let servers = addresses.iter().map(ServerAddr::as_url_str).collect::<Vec<_>>().join(", ");
        let (link_is, link) = watch::channel(Link::default());
        let connect = connect_options(options, authentication).await?.event_callback(move |event| {
            link_is.send_modify(|link| note(link, &event));
            async {}
        });
        let choice = Arc::<Servers>::default();
        let chosen = Arc::clone(&choice);
        let connect = connect.reconnect_to_server_callback(move |servers, _| {
            let next = chosen.choose(&servers).map(|addr| ReconnectToServer { addr, delay: None });
            std::future::ready(next)
        });
        let client = connect.connect(addresses).await.map_err(|error| {
            let shows_certificate = options.client_certificate.is_some();
            connect_error(&servers, shows_certificate, &error)
        })?;
        let jetstream = jetstream::new(client.clone());
        Ok(Self { client, jetstream, servers, link, choice, options: Arc::new(options.clone()) })
    }

    /// Takes in whether the server did what it was asked for at `asked`. Where it comes to nothing for too long, another
    /// server is connected to, if there is one.
    pub(super) fn note(&self, task: Task, asked: Instant, did: bool) {
        let Link { connected, made, since } = *self.link.borrow();
        // What was asked over another connection tells nothing of this server.
        let asked = since.map_or(asked, |since| asked.max(since));
        if did {
            self.choice.served(task, Instant::now());
        } else if connected && self.choice.in_vain(task, asked, Instant::now()) {
            let connection = self.clone();
            // Nobody waits for it: the client library answers nothing while it connects.
            tokio::spawn(async move { connection.leave(made).await });
        }
    }

    /// Leaves the server of connection number `made`, if there is another server.
    async fn leave(&self, made: u64) {
        let others = self.client.server_pool().await.map_or(0, |servers| servers.len().saturating_sub(1));
        if others == 0 || self.link.borrow().made != made {
            return;
        }
        let server = self.client.server_info().server_name;
        tracing::warn!("NATS server {server} is there and confirms nothing; trying another one");
        if let Err(error) = self.client.force_reconnect().await {
            tracing::debug!("can't leave NATS server {server}: {error}");
        }
    }

    /// Why there is no connection. The client library keeps to itself what its attempts fail of, so one is made here, for as
    /// long as this.
    pub(super) async fn why_away(&self, patience: Duration) -> String {
        match tokio::time::timeout(patience, Self::open(&self.options)).await {
            Ok(Err(error @ LogError::Tls { .. })) => error.to_string(),
            _ => {
                let servers = &self.servers;
                format!(
                    "there is no connection to NATS at {servers}; see that nats-server runs there and can be reached"
                )
            }
        }
    }

    /// Returns once the connection stands, with how it stands then.
    pub(super) async fn connected(&self) -> Link {
        let mut link = self.link.clone();
        let stands = link.wait_for(|link| link.connected).await.map(|link| *link);
        match stands {
            Ok(link) => link,
            // The client is gone, and its waiters with it.
            Err(_) => std::future::pending().await,
        }
    }

    /// The result of `work` over one connection; `None` if the connection is lost first. Waits for a connection.
    pub(super) async fn over_one<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let link = self.connected().await;
        tokio::select! {
            outcome = work => Some(outcome),
            () = self.lost(link.made) => None,
        }
    }

    /// Does something that needs the server, anew where the connection is lost meanwhile, or where it does not work for the
    /// moment. `log` is what an error calls what it is done with.
    pub(super) async fn insist<T, Work>(&self, log: &str, work: impl Fn() -> Work) -> Result<T, LogError>
    where
        Work: Future<Output = Result<T, Break>>,
    {
        let stream_error = |reason| LogError::Stream { log: log.to_owned(), reason };
        let mut said = stream_error(format!("there is no connection to {}", self.servers));
        let working = async {
            loop {
                let asked = Instant::now();
                match self.over_one(work()).await {
                    Some(Ok(done)) => return Ok(done),
                    Some(Err(Break::ForEver(error))) => return Err(error),
                    Some(Err(Break::Doubtful(error))) => said = error,
                    Some(Err(Break::ForNow(reason))) => {
                        said = stream_error(reason);
                        self.note(Task::Look, asked, false);
                    }
                    None => continue,
                }
                tokio::time::sleep(TRY_AGAIN).await;
            }
        };
        let outcome = tokio::time::timeout(AWAY, working).await;
        outcome.unwrap_or(Err(said))
    }

    /// Returns once the connection number `made` has been replaced.
    pub(super) async fn lost(&self, made: u64) {
        let mut link = self.link.clone();
        let lost = link.wait_for(|link| !link.connected || link.made != made).await.is_ok();
        if !lost {
            std::future::pending::<()>().await;
        }
    }
}

fn note(link: &mut Link, event: &Event) {
    match event {
        Event::Connected => *link = Link { connected: true, made: link.made + 1, since: Some(Instant::now()) },
        Event::Disconnected | Event::Closed => link.connected = false,
        _ => {}
    }
}

/// The servers' addresses without users and secrets, and the credentials. The client library would leave out what
/// the URLs say, and write it to its own log.
fn parse_servers(options: &NatsOptions) -> Result<(Vec<ServerAddr>, NatsAuthentication), LogError> {
    let mut authentication = options.authentication.clone();
    let mut addresses = Vec::new();
    for server in &options.servers {
        let mut url = ServerAddr::from_str(server).map_err(|_| LogError::Url)?.into_inner();
        if let (NatsAuthentication::FromUrl, false) = (&authentication, url.username().is_empty()) {
            let user = decoded(url.username());
            authentication = match url.password().map(decoded) {
                Some(password) => NatsAuthentication::UserAndPassword { user, password },
                None => NatsAuthentication::Token(user),
            };
        }
        url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| LogError::Url)?;
        addresses.push(ServerAddr::from_url(url).map_err(|_| LogError::Url)?);
    }
    Ok((addresses, authentication))
}

/// Text of a URL in which some bytes are written as `%` and two digits.
fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

async fn connect_options(
    options: &NatsOptions,
    authentication: NatsAuthentication,
) -> Result<ConnectOptions, LogError> {
    // The client takes the process's cryptography, which nobody has named where rustls is built with several.
    if CryptoProvider::get_default().is_none() {
        aws_lc_rs::default_provider().install_default().ok(); // another thread was faster
    }
    let mut connect = ConnectOptions::new()
        .name("netqoe")
        .connection_timeout(PATIENCE)
        .request_timeout(Some(PATIENCE))
        .ping_interval(PING_EVERY)
        .reconnect_delay_callback(reconnect_pause);
    connect = match authentication {
        NatsAuthentication::FromUrl => connect,
        NatsAuthentication::UserAndPassword { user, password } => connect.user_and_password(user, password),
        NatsAuthentication::Token(token) => connect.token(token),
        NatsAuthentication::CredentialsFile(path) => connect
            .credentials_file(&path)
            .await
            .map_err(|error| LogError::ConnectionFile { path, reason: error.to_string() })?,
    };
    // The client library would try the files at each connection, and not say which of them can't be used, and why.
    let unusable = |FileError { path, reason }| LogError::ConnectionFile { path, reason };
    if let Some(ca_file) = &options.ca_file {
        netqoe_tls::roots_in(ca_file).map_err(unusable)?;
        connect = connect.add_root_certificates(ca_file.clone());
    }
    if let Some((certificate, key)) = &options.client_certificate {
        netqoe_tls::check_key_pair(certificate, key, &aws_lc_rs::default_provider()).map_err(unusable)?;
        connect = connect.add_client_certificate(certificate.clone(), key.clone());
    }
    Ok(connect)
}

/// None before the first try, then twice as long each time.
fn reconnect_pause(tries: usize) -> Duration {
    let doublings = u32::try_from(tries.saturating_sub(1)).unwrap_or(u32::MAX).min(10);
    if tries <= 1 { Duration::ZERO } else { Duration::from_millis(1 << doublings).min(MAX_RECONNECT_PAUSE) }
}

fn connect_error(servers: &str, shows_certificate: bool, error: &ConnectError) -> LogError {
    let servers = servers.to_owned();
    match (error.kind(), tls_fault::reason(error, shows_certificate)) {
        (ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation, _) => {
            LogError::Unauthorized { servers }
        }
        (_, Some(reason)) => LogError::Tls { servers, reason },
        _ => LogError::Connect { servers, reason: with_sources(error) },
    }
}

/// An error and its causes, in one line.
pub(super) fn with_sources(error: &(dyn Error + 'static)) -> String {
    let mut said: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let message = error.to_string();
        // Many errors say what they come from themselves.
        if !said.iter().any(|earlier| earlier.contains(&message)) {
            said.push(message);
        }
        next = error.source();
    }
    said.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(server: &str) -> Result<(String, NatsAuthentication), LogError> {
        let options = NatsOptions { servers: vec![server.to_owned()], ..NatsOptions::default() };
        parse_servers(&options)
            .map(|(addresses, authentication)| (addresses[0].as_url_str().to_owned(), authentication))
    }

    #[test]
    fn secrets_leave_the_url() {
        let (url, who) = parse("nats://me:s%3Ac@host:4333").unwrap();
        assert_eq!(url, "nats://host:4333");
        assert!(
            matches!(&who, NatsAuthentication::UserAndPassword { user, password } if user == "me" && password == "s:c")
        );
        assert!(!format!("{who:?}").contains("s:c"));
        let (url, who) = parse("tls://t0ken@host").unwrap();
        assert_eq!(url, "tls://host");
        assert!(matches!(&who, NatsAuthentication::Token(token) if token == "t0ken"));
        assert!(!format!("{who:?}").contains("t0ken"));
        let error = parse("http://me:secret@host").unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn an_explicit_identity_goes_before_the_url() {
        let authentication = NatsAuthentication::Token("explicit".to_owned());
        let options =
            NatsOptions { servers: vec!["nats://me:pw@host".to_owned()], authentication, ..NatsOptions::default() };
        let (_, who) = parse_servers(&options).unwrap();
        assert!(matches!(who, NatsAuthentication::Token(token) if token == "explicit"));
    }

    #[test]
    fn pauses_grow_up_to_a_bound() {
        let pauses: Vec<_> = [0, 1, 2, 3, 9, 1_000].map(|tries| reconnect_pause(tries).as_millis()).to_vec();
        assert_eq!(pauses, [0, 0, 2, 4, 250, 250]);
    }
}
