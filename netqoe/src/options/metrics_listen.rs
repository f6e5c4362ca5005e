//! Where a probe shows its metrics.

use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// An address to listen on; a port alone is one of loopback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MetricsListen(pub(crate) SocketAddr);

impl FromStr for MetricsListen {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let port = text.parse().map(|port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        port.or_else(|_| text.parse()).map(Self).map_err(|_| "give a port, or address:port with brackets around IPv6")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_reached_from_this_machine_only() {
        for (text, address) in [
            ("9115", Some("127.0.0.1:9115")),
            ("0.0.0.0:9115", Some("0.0.0.0:9115")),
            ("[::]:0", Some("[::]:0")),
            ("127.0.0.1", None),
            (":9115", None),
            ("65536", None),
        ] {
            let parsed = text.parse::<MetricsListen>().ok();
            assert_eq!(parsed.map(|listen| listen.0.to_string()).as_deref(), address, "{text}");
        }
    }
}
