//! What stands on the far side of the link: a name server, and web servers with and without TLS.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use anyhow::Context;
use netqoe_probe::TrustedRoots;
use netqoe_testbed::SlowLink;
use tokio_rustls::TlsAcceptor;

use crate::support::dns_server::DnsServer;
#[cfg(feature = "http3")]
use crate::support::http3_server::Http3Server;
use crate::support::web_server::{Authority, OK, Step, WebServer, object};

/// The name of all servers, as the name server reads it: the second address of its network.
pub(crate) const HOST: &str = "to.2.web.test";
pub(crate) const OBJECT_BYTES: usize = 1 << 20;
pub(crate) const THINKING: Duration = Duration::from_millis(120);

pub(crate) struct FarSide {
    pub(crate) dns: DnsServer,
    pub(crate) roots: Arc<TrustedRoots>,
    pub(crate) ca_pem: String,
    plain: SocketAddr,
    thinking: SocketAddr,
    encrypted: SocketAddr,
    #[cfg(feature = "http3")]
    http3: SocketAddr,
    #[cfg(feature = "http3")]
    thinking_http3: SocketAddr,
}

impl FarSide {
    /// Starts all of them on one thread in the far network, which ends with the test.
    pub(crate) fn start(link: &SlowLink) -> anyhow::Result<Self> {
        let (sender, receiver) = sync_channel(1);
        link.far.run(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                sender.send(Self::serve().await).unwrap();
                std::future::pending::<()>().await;
            });
        })?;
        receiver.recv().context("the servers did not start")
    }

    async fn serve() -> Self {
        let at = |port| SocketAddr::new(IpAddr::from(SlowLink::FAR), port);
        let [a, b, c, _] = SlowLink::FAR.octets();
        let authority = Authority::new();
        let run = async |tls: Option<TlsAcceptor>, thinking: Duration| {
            let answers = vec![("/", OK.to_owned()), ("/fixed/1mb.bin", object(OBJECT_BYTES))];
            let script = vec![Step::ReadRequest, Step::Wait(thinking), Step::AnswerByPath(answers)];
            WebServer::run(at(0), tls, script).await.address
        };
        Self {
            dns: DnsServer::start_at(at(53), [a, b, c], Duration::ZERO).await,
            roots: Arc::new(authority.roots()),
            ca_pem: authority.pem(),
            plain: run(None, Duration::ZERO).await,
            thinking: run(None, THINKING).await,
            encrypted: run(Some(authority.certify_at(HOST, SlowLink::FAR.into())), Duration::ZERO).await,
            #[cfg(feature = "http3")]
            http3: Http3Server::run(at(0), &authority.certify(HOST), "h3", Duration::ZERO).address,
            #[cfg(feature = "http3")]
            thinking_http3: Http3Server::run(at(0), &authority.certify(HOST), "h3", THINKING).address,
        }
    }

    /// A page on one of the servers.
    pub(crate) fn url(&self, server: Server, path: &str) -> String {
        let (scheme, address) = match server {
            Server::Plain => ("http", self.plain),
            Server::Thinking => ("http", self.thinking),
            Server::Encrypted => ("https", self.encrypted),
            #[cfg(feature = "http3")]
            Server::Http3 => ("https", self.http3),
            #[cfg(feature = "http3")]
            Server::ThinkingHttp3 => ("https", self.thinking_http3),
        };
        format!("{scheme}://{HOST}:{}{path}", address.port())
    }

    /// The encrypted page, without a name that is to be looked up.
    pub(crate) fn url_by_address(&self) -> String {
        format!("https://{}/", self.encrypted)
    }

    /// Whether a page is on a server that speaks nothing else.
    #[cfg(feature = "http3")]
    pub(crate) fn speaks_http3(&self, url: &str) -> bool {
        [Server::Http3, Server::ThinkingHttp3].iter().any(|server| url.starts_with(&self.url(*server, "/")))
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Server {
    Plain,
    /// Takes [`THINKING`] for each answer.
    Thinking,
    Encrypted,
    #[cfg(feature = "http3")]
    Http3,
    /// The same; it gives an early hint, and takes [`THINKING`].
    #[cfg(feature = "http3")]
    ThinkingHttp3,
}
