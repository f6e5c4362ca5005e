//! The provider of a network, from a file in MaxMind's format: GeoLite2-ASN, GeoIP2-ISP, or one with the same fields.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use maxminddb::geoip2::Isp;
use maxminddb::{MaxMindDbError, Reader};
use serde::Serialize;

/// The provider of a network.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Provider {
    /// Its name.
    pub isp: Option<String>,
    /// The number of its autonomous system.
    pub asn: Option<u32>,
}

/// The providers of addresses, read into memory as a whole.
pub struct Providers(Reader<Vec<u8>>);

/// Why there are none.
#[derive(Debug, thiserror::Error)]
#[error("{} can't be read as a MaxMind database: {source}; give a file such as GeoLite2-ASN.mmdb", .path.display())]
pub struct ProvidersError {
    path: PathBuf,
    source: MaxMindDbError,
}

impl Providers {
    /// Reads the file.
    ///
    /// # Errors
    /// [`ProvidersError`], if it can't be read, or is of another format.
    pub fn open(path: &Path) -> Result<Self, ProvidersError> {
        Reader::open_readfile(path).map(Self).map_err(|source| ProvidersError { path: path.to_owned(), source })
    }

    /// The provider of the network that `address` is in; `None` if the file does not know it.
    pub(crate) fn of(&self, address: IpAddr) -> Option<Provider> {
        let known = self.0.lookup(address).and_then(|found| found.decode::<Isp<'_>>());
        // A file for IPv4 alone refuses IPv6.
        let known = known.inspect_err(|error| tracing::debug!(%address, "no provider: {error}")).ok()??;
        let isp = known.isp.or(known.organization).or(known.autonomous_system_organization);
        let provider = Provider { isp: isp.map(str::to_owned), asn: known.autonomous_system_number };
        (provider.isp.is_some() || provider.asn.is_some()).then_some(provider)
    }
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The file's content is of no use in a message.
        f.debug_tuple("Providers").field(&self.0.metadata().database_type).finish()
    }
}

#[cfg(test)]
mod tests {
    use maxminddb_writer::Database;
    use maxminddb_writer::paths::IpAddrWithMask;
    use serde::Serialize;

    use super::*;

    #[derive(Serialize)]
    struct OfAsn {
        autonomous_system_number: u32,
        autonomous_system_organization: &'static str,
    }

    #[derive(Serialize)]
    struct OfIsp {
        isp: &'static str,
        autonomous_system_organization: &'static str,
    }

    #[test]
    fn a_provider_is_found_by_an_address_of_its_network() {
        let mut database = Database::default();
        database.metadata.binary_format_major_version = 2;
        let asn = OfAsn { autonomous_system_number: 64_500, autonomous_system_organization: "Example Networks" };
        let isp = OfIsp { isp: "Example ISP", autonomous_system_organization: "Example Networks" };
        let (asn, isp) = (database.insert_value(asn).unwrap(), database.insert_value(isp).unwrap());
        database.insert_node("192.0.2.0/24".parse::<IpAddrWithMask>().unwrap(), asn);
        database.insert_node("198.51.100.0/24".parse::<IpAddrWithMask>().unwrap(), isp);
        let file = tempfile::NamedTempFile::new().unwrap();
        database.write_to(std::fs::File::create(file.path()).unwrap()).unwrap();

        let providers = Providers::open(file.path()).unwrap();
        let of = |address: &str| providers.of(address.parse().unwrap());
        let provider = |isp: &str, asn| Some(Provider { isp: Some(isp.to_owned()), asn });
        assert_eq!(of("192.0.2.7"), provider("Example Networks", Some(64_500)));
        assert_eq!(of("198.51.100.7"), provider("Example ISP", None));
        assert_eq!(of("203.0.113.7"), None);
        assert_eq!(of("2001:db8::1"), None, "the file knows IPv4 alone");
    }

    #[test]
    fn a_file_of_another_format_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "no database").unwrap();
        for path in [file.path(), Path::new("/nowhere/asn.mmdb")] {
            let message = Providers::open(path).unwrap_err().to_string();
            assert!(message.contains(path.to_str().unwrap()) && message.contains("MaxMind"), "{message}");
        }
    }
}
