//! How a measurement is made.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::{
    ClientIdentity, Expectations, FIXED_OBJECT_PATH, Family, InvalidTarget, Providers, Proxy, RequestSettings,
    TrustedRoots, WebUrl,
};

/// How long a measurement may take, all phases together, where nothing else is said.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// What every measurement of an agent has in common.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a measurement may take, from before its first phase to the end of its last; a day at most.
    pub timeout: Duration,
    /// The name servers.
    pub name_servers: NameServers,
    /// The only family of addresses that is used, if it is not both.
    pub only: Option<Family>,
    /// The authorities that may sign certificates.
    pub roots: Arc<TrustedRoots>,
    /// The providers of networks, if they are known.
    pub providers: Option<Arc<Providers>>,
    /// What throughput is measured with, if at all. If it can't be fetched there is no figure, and no failure.
    pub throughput: Option<ThroughputObject>,
    /// Whether a redirect to another host is a failure, and not followed.
    pub stay_on_host: bool,
    /// What pages are expected to answer.
    pub expectations: Arc<Expectations>,
    /// What they are asked with.
    pub request: Arc<RequestSettings>,
    /// The certificate that is shown to servers that ask for one.
    pub identity: Option<ClientIdentity>,
    /// Whether any certificate of a server will do. Events say so.
    pub insecure: bool,
    /// The proxy by which pages are reached.
    pub proxy: Option<Arc<Proxy>>,
    /// Whether `https://` is HTTP/3, and nothing else.
    #[cfg(feature = "http3")]
    pub http3: bool,
}

/// Who is asked for addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameServers {
    /// Those of this machine, with its hosts file and search list, read anew for each measurement: a laptop that
    /// moves to another network measures that one. Where they do not know a name, the system's own lookup is believed.
    System,
    /// These alone, in this order; over UDP and, where an answer is too long for that, TCP.
    At(Vec<SocketAddr>),
}

/// What throughput is measured with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ThroughputObject {
    /// `/fixed/1mb.bin`, 1 MiB, on the server that has answered.
    OfTarget,
    /// This one.
    At(Box<WebUrl>),
}

/// An object as options and files name it: by its URL, as the fixed one of each target, or as none (`off`).
///
/// # Errors
/// [`InvalidTarget`], if it is not the URL of a page.
pub fn parse_throughput(text: &str) -> Result<Option<ThroughputObject>, InvalidTarget> {
    Ok(match text {
        "off" => None,
        FIXED_OBJECT_PATH => Some(ThroughputObject::OfTarget),
        url => Some(ThroughputObject::At(Box::new(url.parse()?))),
    })
}

impl Settings {
    /// The families that are used, the preferred first.
    pub(crate) fn families(&self) -> &[Family] {
        match &self.only {
            Some(only) => std::slice::from_ref(only),
            None => &Family::BOTH,
        }
    }
}

impl Default for Settings {
    /// 30 s, this machine's name servers, both families, Mozilla's certificate authorities, no object for
    /// throughput: nothing is fetched that nobody asked for.
    fn default() -> Self {
        Self {
            timeout: DEFAULT_TIMEOUT,
            name_servers: NameServers::System,
            only: None,
            roots: Arc::new(TrustedRoots::mozilla()),
            providers: None,
            throughput: None,
            stay_on_host: false,
            expectations: Arc::default(),
            request: Arc::default(),
            identity: None,
            insecure: false,
            proxy: None,
            #[cfg(feature = "http3")]
            http3: false,
        }
    }
}
