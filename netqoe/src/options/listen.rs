//! Where a server for events, or for what was made of them, listens.

use std::net::{IpAddr, SocketAddr};

use clap::Args;

#[derive(Args, Debug)]
pub(crate) struct ListenOptions {
    /// Address to listen on. Addresses other than loopback require tokens
    #[arg(long, env = "NETQOE_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1")]
    listen: IpAddr,

    /// Port to listen on; 0 chooses a free one
    #[arg(long, env = "NETQOE_PORT", default_value_t = 8081)]
    port: u16,
}

impl ListenOptions {
    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::new(self.listen, self.port)
    }
}
