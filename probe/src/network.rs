//! The network that this machine is in, from local information: the interface of its default route.
//!
//! Decision: D-034.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use serde::Serialize;

use crate::route::local_address_toward;
use crate::{Provider, Providers};

/// Addresses that nobody has and that are routed like anybody's: the way to the internet.
const ANYWHERE: [IpAddr; 2] =
    [IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)), IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))];

/// What an event tells as `network_context`. What can't be found out is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NetworkContext {
    /// This machine's address on the connection that was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<IpAddr>,
    /// `ethernet`, `wifi`, `cellular` or `vpn`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_type: Option<&'static str>,
    /// Whether the default route leads through a tunnel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vpn_enabled: Option<bool>,
    /// The provider of the network.
    #[serde(flatten)]
    pub provider: Option<Provider>,
}

impl NetworkContext {
    /// Looks anew: a laptop moves from one network to another.
    pub(crate) fn find(source_ip: Option<IpAddr>, providers: Option<&Providers>) -> Self {
        let network_type = network_type(Path::new("/"));
        let provider = providers.and_then(|providers| provider_of(source_ip, providers));
        Self { source_ip, network_type, vpn_enabled: network_type.map(|found| found == "vpn"), provider }
    }
}

/// Behind a router that translates addresses, the one on the connection says nothing; that of the other family may be global.
fn provider_of(source_ip: Option<IpAddr>, providers: &Providers) -> Option<Provider> {
    let others = ANYWHERE.into_iter().filter_map(|address| local_address_toward(address.into()));
    source_ip.into_iter().chain(others).find_map(|address| providers.of(address))
}

/// `root` holds `proc` and `sys`. `None` if they say nothing, as on systems other than Linux.
fn network_type(root: &Path) -> Option<&'static str> {
    let read = |path: &str| std::fs::read_to_string(root.join(path)).ok();
    let through = read("proc/net/route").and_then(|routes| default_v4(&routes));
    let through = through.or_else(|| read("proc/net/ipv6_route").and_then(|routes| default_v6(&routes)))?;
    let interface = root.join("sys/class/net").join(through);
    let says = |file: &str| std::fs::read_to_string(interface.join(file)).unwrap_or_default();
    let device_type = says("uevent");
    let is_a = |name: &str| device_type.lines().any(|line| line == format!("DEVTYPE={name}"));
    // The type of a link layer without addresses of its own, as tunnels have.
    const NO_ADDRESS: &str = "65534";
    const ETHERNET: &str = "1";
    match says("type").trim() {
        _ if interface.join("tun_flags").exists() || is_a("wireguard") => Some("vpn"),
        _ if interface.join("wireless").exists() || is_a("wlan") => Some("wifi"),
        _ if is_a("wwan") => Some("cellular"),
        NO_ADDRESS => Some("vpn"),
        ETHERNET => Some("ethernet"),
        _ => None,
    }
}

/// The interface of the default route in `/proc/net/route`: of those to anywhere or to half of everywhere (as tunnels
/// set them), the most specific, and of these the one with the smallest metric.
fn default_v4(routes: &str) -> Option<String> {
    const HALF: &str = "00000080";
    let defaults = routes.lines().skip(1).filter_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let [interface, destination, _, _, _, _, metric, mask, ..] = fields[..] else { return None };
        let is_half = mask == HALF;
        let is_default = destination == "00000000" && (mask == "00000000" || is_half);
        is_default.then_some((!is_half, metric.parse::<u32>().ok()?, interface.to_owned()))
    });
    defaults.min().map(|(_, _, interface)| interface)
}

/// The same of `/proc/net/ipv6_route`, where a reject route stands on `lo`.
fn default_v6(routes: &str) -> Option<String> {
    let defaults = routes.lines().filter_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let [destination, "00", _, _, _, metric, .., interface] = fields[..] else { return None };
        let is_default = destination.bytes().all(|byte| byte == b'0') && interface != "lo";
        is_default.then_some((u32::from_str_radix(metric, 16).ok()?, interface.to_owned()))
    });
    defaults.min().map(|(_, interface)| interface)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n";

    /// A machine with these routes, on which each interface has these files.
    #[track_caller]
    fn check(v4: &str, v6: &str, interfaces: &[(&str, &[(&str, &str)])], expected: Option<&str>) {
        let root = tempfile::tempdir().unwrap();
        let write = |path: String, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("proc/net/route".to_owned(), &format!("{HEAD}{v4}"));
        write("proc/net/ipv6_route".to_owned(), v6);
        for (interface, files) in interfaces {
            for (file, text) in *files {
                write(format!("sys/class/net/{interface}/{file}"), text);
            }
        }
        assert_eq!(network_type(root.path()), expected, "{v4}{v6}");
    }

    const WIRED: (&str, &[(&str, &str)]) = ("eth0", &[("type", "1\n"), ("uevent", "INTERFACE=eth0\n")]);
    const WIRELESS: (&str, &[(&str, &str)]) = ("wlan0", &[("type", "1\n"), ("uevent", "DEVTYPE=wlan\n")]);
    const TUNNEL: (&str, &[(&str, &str)]) = ("tun0", &[("type", "65534\n"), ("tun_flags", "0x1001\n")]);
    const ETH0: &str = "eth0 00000000 010200C0 0003 0 0 100 00000000 0 0 0\n";

    #[test]
    fn the_default_route_tells() {
        check(ETH0, "", &[WIRED, WIRELESS], Some("ethernet"));
        let wlan0 = "wlan0 00000000 010200C0 0003 0 0 600 00000000 0 0 0\n";
        check(wlan0, "", &[WIRED, WIRELESS], Some("wifi"));
        check(&format!("{wlan0}{ETH0}"), "", &[WIRED, WIRELESS], Some("ethernet"));
        // A route to one network tells nothing.
        check("eth0 0002A8C0 00000000 0001 0 0 0 00FFFFFF 0 0 0\n", "", &[WIRED], None);
    }

    #[test]
    fn a_tunnel_that_takes_both_halves_of_everywhere_is_a_vpn() {
        let tun0 = "tun0 00000000 0100080A 0003 0 0 500 00000080 0 0 0\n";
        check(&format!("{ETH0}{tun0}"), "", &[WIRED, TUNNEL], Some("vpn"));
    }

    #[test]
    fn without_ipv4_it_is_that_of_ipv6() {
        let zeros = "0".repeat(32);
        let route = |interface, metric| {
            format!("{zeros} 00 {zeros} 00 fe80{} {metric} 00000001 00000000 00000003 {interface}\n", "0".repeat(28))
        };
        check("", &format!("{}{}", route("lo", "ffffffff"), route("eth0", "00000400")), &[WIRED], Some("ethernet"));
        check("", &route("lo", "ffffffff"), &[WIRED], None);
    }
}
