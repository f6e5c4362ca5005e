//! Versions of nats-server, by which it is known what a server can do.

/// Whether a version is older; what is none is taken for a newer one.
pub(super) fn is_before(version: &str, than: (u32, u32)) -> bool {
    let mut numbers = version.split('.').map(str::parse::<u32>);
    matches!((numbers.next(), numbers.next()), (Some(Ok(major)), Some(Ok(minor))) if (major, minor) < than)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert!(["2.9.10", "2.9", "1.4.1"].iter().all(|version| is_before(version, (2, 10))));
        assert!(!["2.10.0", "2.15.3-beta", "3.0.0", "", "main"].iter().any(|version| is_before(version, (2, 10))));
    }
}
