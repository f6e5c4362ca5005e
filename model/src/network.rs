//! The network that a window was measured over.
//!
//! Decision: D-081.

use std::sync::Arc;

/// Longest name that a row keeps of a network, in bytes. Longer ones are cut: every row of a client carries its names.
pub const MAX_NETWORK_NAME_BYTES: usize = 255;

/// A network, as far as its client names it: at least one of the three is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    /// `ethernet`, `wifi`, `cellular`, `vpn`, or what else the probe calls it.
    pub network_type: Option<Arc<str>>,
    /// The provider.
    pub isp: Option<Arc<str>>,
    /// Where the client is, in the operator's words.
    pub site: Option<Arc<str>>,
}

impl Network {
    /// The network with these names; `None` where no name is known.
    pub fn named(network_type: Option<&str>, isp: Option<&str>, site: Option<&str>) -> Option<Self> {
        let [network_type, isp, site] = [network_type, isp, site].map(|name| name.map(|name| Arc::from(cut(name))));
        let is_named = network_type.is_some() || isp.is_some() || site.is_some();
        is_named.then_some(Self { network_type, isp, site })
    }

    /// Its names, in the order of [`Network::named`].
    pub fn names(&self) -> [Option<&str>; 3] {
        [&self.network_type, &self.isp, &self.site].map(Option::as_deref)
    }
}

/// As much of a name as a row keeps, in whole characters.
fn cut(name: &str) -> &str {
    &name[..name.floor_char_boundary(MAX_NETWORK_NAME_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_between_two_characters() {
        let name = |bytes: usize| "a".repeat(bytes) + "ä";
        for (given, kept) in [(name(253), name(253)), (name(254), "a".repeat(254)), (name(900), "a".repeat(255))] {
            let network = Network::named(None, Some(&given), None).unwrap();
            assert_eq!(network.isp.as_deref(), Some(&*kept));
        }
    }

    #[test]
    fn without_a_name_there_is_no_network() {
        assert_eq!(Network::named(None, None, None), None);
        assert!(Network::named(None, None, Some("")).is_some());
    }
}
