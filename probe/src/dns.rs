//! The DNS phase: the addresses of a name, never from a cache of ours.

use std::net::IpAddr;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;

use crate::phases::{Clock, Span};
use crate::{Failure, NameServers};

/// All addresses of `host`, IPv6 first as RFC 6724 orders them, and the time from question to last answer.
///
/// The resolver is made for this one lookup: with no state from earlier ones there is nothing that could answer
/// instead of a name server. Making it is not part of the time.
pub(crate) async fn look_up(
    host: &str,
    name_servers: &NameServers,
    clock: Clock,
) -> Result<(Vec<IpAddr>, Span), Failure> {
    let resolver = resolver(name_servers).map_err(Failure::Resolver)?;
    let start = clock.now();
    let answer = resolver.lookup_ip(host).await.map_err(|error| explain(host, error))?;
    let span = clock.since(start);
    Ok((answer.iter().collect(), span))
}

fn resolver(name_servers: &NameServers) -> Result<TokioResolver, NetError> {
    let mut builder = match name_servers {
        NameServers::System => TokioResolver::builder_tokio()?,
        NameServers::At(addresses) => {
            let servers = addresses.iter().map(|address| {
                let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
                    connection.port = address.port();
                    connection
                });
                NameServerConfig::new(address.ip(), true, connections.into())
            });
            let config = ResolverConfig::from_name_servers(servers.collect());
            let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
            builder.options_mut().use_hosts_file = ResolveHosts::Never;
            builder
        }
    };
    builder.options_mut().cache_size = 0;
    builder.build()
}

fn explain(host: &str, error: NetError) -> Failure {
    let host = host.to_owned();
    match error {
        NetError::Dns(DnsError::NoRecordsFound(answer)) => match answer.response_code {
            ResponseCode::NXDomain => Failure::NoSuchName { host },
            ResponseCode::NoError => Failure::NoAddress { host },
            code => Failure::Lookup { host, cause: DnsError::ResponseCode(code).into() },
        },
        cause => Failure::Lookup { host, cause },
    }
}
