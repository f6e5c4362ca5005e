//! Why a measurement did not reach its end.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::net::NetError;
use netqoe_model::ErrorStage;

/// What went wrong, in one line. [`Failure::stage`] names where.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// There is no usable resolver configuration.
    #[error("no name server can be asked: {0}; check /etc/resolv.conf")]
    Resolver(NetError),
    /// NXDOMAIN.
    #[error("{host} does not exist (NXDOMAIN); check its spelling")]
    NoSuchName {
        /// The name asked for.
        host: String,
    },
    /// The name exists without an A or AAAA record.
    #[error("{host} has no address, neither an A nor an AAAA record")]
    NoAddress {
        /// The name asked for.
        host: String,
    },
    /// No answer, SERVFAIL, or an answer that can't be read.
    #[error("{host} could not be resolved: {cause}")]
    Lookup {
        /// The name asked for.
        host: String,
        /// What the name servers said, if anything.
        cause: NetError,
    },
    /// Refused, unreachable, reset.
    #[error("no connection to {address}: {cause}")]
    Connect {
        /// The address that was chosen.
        address: SocketAddr,
        /// What the operating system said.
        cause: io::Error,
    },
    /// A certificate that is not to be trusted, or no TLS at all.
    #[error("no TLS connection to {host}: {cause}")]
    Tls {
        /// Whom the certificate should name.
        host: String,
        /// What is wrong.
        cause: io::Error,
    },
    /// No answer, or none that is HTTP.
    #[error("no valid answer to the request: {}", with_causes(.0))]
    Request(hyper::Error),
    /// A status of 400 or more.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// The body ended before its announced end.
    #[error("the body broke off after {bytes} bytes: {}", with_causes(.cause))]
    Body {
        /// How much of it had come.
        bytes: u64,
        /// What ended it.
        cause: hyper::Error,
    },
    /// The time for the whole measurement was over.
    #[error("{} within {timeout:?}, the time for the whole measurement", awaited(*.stage))]
    TimedOut {
        /// Where it struck.
        stage: ErrorStage,
        /// The time that there was.
        timeout: Duration,
    },
}

impl Failure {
    /// Where the measurement failed.
    pub fn stage(&self) -> ErrorStage {
        match self {
            Self::Resolver(_) | Self::NoSuchName { .. } | Self::NoAddress { .. } | Self::Lookup { .. } => {
                ErrorStage::Dns
            }
            Self::Connect { .. } => ErrorStage::Tcp,
            Self::Tls { .. } => ErrorStage::Tls,
            Self::Request(_) | Self::Status(_) => ErrorStage::Http,
            Self::Body { .. } => ErrorStage::Throughput,
            Self::TimedOut { stage, .. } => *stage,
        }
    }
}

fn awaited(stage: ErrorStage) -> &'static str {
    match stage {
        ErrorStage::Dns => "the name was not resolved",
        ErrorStage::Tcp => "the connection was not established",
        ErrorStage::Tls => "the TLS handshake was not completed",
        ErrorStage::Http => "the request was not answered",
        ErrorStage::Throughput => "the body was not received in full",
    }
}

/// hyper's errors name only the operation; the reason is in what they were caused by.
fn with_causes(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
