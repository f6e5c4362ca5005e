//! The network that this machine is in, as far as it can be found without asking anybody.

mod interface;
mod provider;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use serde::Serialize;

use crate::route::local_address_toward;
use interface::interface_of;
pub use interface::{Interface, NetworkType};
pub use provider::{Provider, Providers, ProvidersError};

/// Where Linux shows network interfaces.
const INTERFACES: &str = "/sys/class/net";
/// Addresses that nobody has and that are routed like anybody's: the way to the internet.
const ANYWHERE: [IpAddr; 2] =
    [IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)), IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))];

/// How this machine reaches what it measures. What could not be found is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NetworkContext {
    /// The interface and its kind.
    #[serde(flatten)]
    pub interface: Option<Interface>,
    /// Who provides the network.
    #[serde(flatten)]
    pub provider: Option<Provider>,
}

/// The network on the way to `peer`, or to the internet where no address was found. `None` where that way does not leave this
/// machine, or nothing is known of it.
pub(crate) fn network_toward(peer: Option<IpAddr>, providers: Option<&Providers>) -> Option<NetworkContext> {
    let way = peer.map_or_else(|| ANYWHERE.into_iter().find_map(local_address_toward), local_address_toward);
    let local = way.filter(|address| !address.is_loopback())?;
    let context = NetworkContext {
        interface: interface_of(local, Path::new(INTERFACES)),
        provider: providers.and_then(|providers| provider_of(local, providers)),
    };
    (context != NetworkContext::default()).then_some(context)
}

/// Behind a router that translates addresses, the one toward the peer says nothing; that of the other family may be global.
fn provider_of(local: IpAddr, providers: &Providers) -> Option<Provider> {
    let others = ANYWHERE.into_iter().filter_map(local_address_toward);
    [local].into_iter().chain(others).find_map(|address| providers.of(address))
}
