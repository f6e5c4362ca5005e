//! Network interfaces, and of what kind they are.

use std::net::IpAddr;
use std::path::Path;

use nix::ifaddrs::getifaddrs;
use nix::sys::socket::SockaddrStorage;
use serde::Serialize;

/// `ARPHRD_ETHER`, `ARPHRD_PPP` and `ARPHRD_NONE` of Linux's `if_arp.h`.
const ETHERNET: &str = "1";
const PPP: &str = "512";
const NONE: &str = "65534";

/// The interface that packets leave by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Interface {
    /// Its name, such as `wlan0`.
    #[serde(rename = "interface")]
    pub name: String,
    /// Of what kind it is.
    pub network_type: NetworkType,
    /// Whether it is the near end of a tunnel. A tunnel further on (a router's own) can't be seen.
    pub vpn_enabled: bool,
}

/// A kind of network, as events write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkType {
    /// A cable, or what a virtual machine takes for one.
    Ethernet,
    /// A wireless network.
    Wifi,
    /// A modem of a mobile network.
    Cellular,
    /// A dialled line.
    Ppp,
    /// A tunnel: what lies below it is not seen.
    Vpn,
    /// Anything else.
    Other,
}

/// The interface that has this address, where the system shows it in `interfaces`.
pub(super) fn interface_of(address: IpAddr, interfaces: &Path) -> Option<Interface> {
    // Absent evidence is not worth failing a measurement for.
    let addresses = getifaddrs().inspect_err(|error| tracing::debug!("interfaces can't be listed: {error}")).ok()?;
    let name = addresses
        .into_iter()
        .find(|listed| listed.address.as_ref().and_then(ip_address) == Some(address))
        .map(|listed| listed.interface_name)?;
    let network_type = network_type(&interfaces.join(&name))?;
    Some(Interface { name, network_type, vpn_enabled: network_type == NetworkType::Vpn })
}

fn ip_address(address: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip())))
}

/// What the folder of an interface says of its kind; `None` where it can't be read.
fn network_type(folder: &Path) -> Option<NetworkType> {
    let link_type = std::fs::read_to_string(folder.join("type")).ok()?;
    let device = std::fs::read_to_string(folder.join("uevent")).unwrap_or_default();
    let device = device.lines().find_map(|line| line.strip_prefix("DEVTYPE="));
    Some(match (device, link_type.trim()) {
        (Some("wlan"), _) => NetworkType::Wifi,
        (Some("wwan"), _) => NetworkType::Cellular,
        (Some("wireguard"), _) => NetworkType::Vpn,
        _ if folder.join("tun_flags").exists() => NetworkType::Vpn,
        _ if folder.join("wireless").exists() => NetworkType::Wifi,
        (_, ETHERNET) => NetworkType::Ethernet,
        (_, PPP) => NetworkType::Ppp,
        // A device without a link layer is a tunnel of one kind or another.
        (_, NONE) => NetworkType::Vpn,
        _ => NetworkType::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_what_the_system_shows() {
        for (files, expected) in [
            (&[("type", "1\n")][..], Some(NetworkType::Ethernet)),
            (&[("type", "1\n"), ("uevent", "DEVTYPE=wlan\nINTERFACE=wlan0\n")], Some(NetworkType::Wifi)),
            (&[("type", "1\n"), ("wireless", "")], Some(NetworkType::Wifi)),
            (&[("type", "65534\n"), ("uevent", "DEVTYPE=wwan\n")], Some(NetworkType::Cellular)),
            (&[("type", "65534\n"), ("uevent", "DEVTYPE=wireguard\n")], Some(NetworkType::Vpn)),
            (&[("type", "1\n"), ("tun_flags", "0x1002\n")], Some(NetworkType::Vpn)),
            (&[("type", "512\n"), ("uevent", "DEVTYPE=ppp\n")], Some(NetworkType::Ppp)),
            (&[("type", "801\n")], Some(NetworkType::Other)),
            (&[], None),
        ] {
            let folder = tempfile::tempdir().unwrap();
            for (name, text) in files {
                std::fs::write(folder.path().join(name), text).unwrap();
            }
            assert_eq!(network_type(folder.path()), expected, "{files:?}");
        }
    }

    #[test]
    fn an_interface_is_found_by_its_address() {
        let interfaces = tempfile::tempdir().unwrap();
        std::fs::create_dir(interfaces.path().join("lo")).unwrap();
        std::fs::write(interfaces.path().join("lo/type"), "772\n").unwrap();
        let found = interface_of("127.0.0.1".parse().unwrap(), interfaces.path());
        let expected = Interface { name: "lo".to_owned(), network_type: NetworkType::Other, vpn_enabled: false };
        assert_eq!(found, Some(expected));
        assert_eq!(interface_of("192.0.2.1".parse().unwrap(), interfaces.path()), None);
    }
}
