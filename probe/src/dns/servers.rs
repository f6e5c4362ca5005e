//! Who is asked for addresses, and what this machine knows without asking.

use std::net::{IpAddr, SocketAddr};

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::Name;
use hickory_resolver::{Hosts, TokioResolver, system_conf};

use crate::{Family, NameServers};

/// Servers that are asked. More in `resolv.conf` the system does not ask either.
const MAX_SERVERS: usize = 3;

/// One name server, with a resolver that asks nobody else. It is made for one measurement: with no state from earlier
/// ones there is nothing that could answer instead of the server.
pub(super) struct NameServer {
    pub(super) address: SocketAddr,
    pub(super) resolver: TokioResolver,
}

/// The servers, in the order of `resolv.conf`, which is read anew.
pub(super) fn name_servers(name_servers: &NameServers) -> Result<Vec<NameServer>, NetError> {
    let (config, mut options) = match name_servers {
        NameServers::System => system_conf::read_system_conf()?,
        NameServers::At(addresses) => {
            let servers = addresses.iter().copied().map(at).collect();
            (ResolverConfig::from_name_servers(servers), ResolverOpts::default())
        }
    };
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    let (domain, search, servers) = config.into_parts();
    servers
        .into_iter()
        .take(MAX_SERVERS)
        .map(|server| {
            let port = server.connections.first().map_or(53, |connection| connection.port);
            let address = SocketAddr::new(server.ip, port);
            let config = ResolverConfig::from_parts(domain.clone(), search.clone(), vec![server]);
            let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
            *builder.options_mut() = options.clone();
            Ok(NameServer { address, resolver: builder.build()? })
        })
        .collect()
}

/// A server that is asked over UDP and, where an answer is too long for that, TCP.
fn at(address: SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.into())
}

/// The addresses that the hosts file gives a name, IPv6 first; none where it does not know it.
pub(super) fn from_hosts_file(host: &str, families: &[Family]) -> Vec<IpAddr> {
    // No hosts file says as much as an empty one.
    let (Ok(hosts), Ok(mut name)) = (Hosts::from_system(), Name::from_utf8(host)) else { return Vec::new() };
    name.set_fqdn(true);
    let known = |family: &Family| hosts.lookup_static_host(&Query::query(name.clone(), family.record_type()));
    families
        .iter()
        .filter_map(known)
        .flat_map(|lookup| lookup.answers().iter().filter_map(|record| record.data.ip_addr()).collect::<Vec<_>>())
        .collect()
}
