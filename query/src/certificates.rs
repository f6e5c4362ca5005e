//! Certificates of targets that expire soon, as the newest measurements have seen them.

use std::sync::Arc;

use parking_lot::RwLock;
use serde::Serialize;
use utoipa::ToSchema;

/// How long before it expires a certificate is told of, in milliseconds: 14 days, since who renews by hand needs days for it.
pub const EXPIRES_SOON_MS: i64 = 14 * 86_400_000;
/// Certificates that an overview lists.
const MAX_LISTED: usize = 10;

/// A target's certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ExpiringCertificate {
    /// Whose it is.
    pub target: String,
    /// Who has seen it last.
    pub client_id: String,
    /// Who has issued it, as it says itself; null where the measurement does not tell.
    #[schema(required)]
    pub issuer: Option<String>,
    /// When it expires, or has expired, Unix milliseconds.
    pub expires_at: i64,
    /// When it was seen last, Unix milliseconds.
    pub seen_at: i64,
}

/// What somebody who reads measurements has found, for those who answer. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Certificates(Arc<RwLock<Vec<ExpiringCertificate>>>);

impl Certificates {
    /// These are all that expire soon.
    pub fn set(&self, mut expiring: Vec<ExpiringCertificate>) {
        expiring.sort_by(|a, b| (a.expires_at, &a.target).cmp(&(b.expires_at, &b.target)));
        *self.0.write() = expiring;
    }

    /// Those that are asked for and expire soon or have expired: those that are first in need, and how many others there are.
    pub(crate) fn listed(
        &self,
        is_asked: impl Fn(&ExpiringCertificate) -> bool,
        now_ms: i64,
    ) -> (Vec<ExpiringCertificate>, usize) {
        let all = self.0.read();
        let is_asked =
            |one: &&ExpiringCertificate| one.expires_at.saturating_sub(now_ms) < EXPIRES_SOON_MS && is_asked(one);
        let count = all.iter().filter(is_asked).count();
        let listed = all.iter().filter(is_asked).take(MAX_LISTED).cloned().collect();
        (listed, count.saturating_sub(MAX_LISTED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_765_000_000_000;

    fn certificate(target: &str, client_id: &str, left_ms: i64) -> ExpiringCertificate {
        ExpiringCertificate {
            target: target.to_owned(),
            client_id: client_id.to_owned(),
            issuer: None,
            expires_at: NOW_MS + left_ms,
            seen_at: NOW_MS,
        }
    }

    #[test]
    fn those_that_are_first_in_need_are_listed() {
        let certificates = Certificates::default();
        let all = ["z", "y", "x"].map(|target| certificate(target, "c", -1)).into_iter();
        let later = (0..20).map(|day| certificate(&format!("t{day}"), "d", day * 86_400_000));
        certificates.set(later.chain(all).collect());
        let targets = |(listed, left_off): (Vec<ExpiringCertificate>, usize)| {
            (listed.into_iter().map(|one| one.target).collect::<Vec<_>>(), left_off)
        };
        let (listed, left_off) = targets(certificates.listed(|_| true, NOW_MS));
        assert_eq!(listed, ["x", "y", "z", "t0", "t1", "t2", "t3", "t4", "t5", "t6"]);
        assert_eq!(left_off, 7, "what is left after 14 days is no concern yet");
        let of_target = |target: &str| targets(certificates.listed(|one| one.target == target, NOW_MS)).0;
        assert_eq!(of_target("t13"), ["t13"]);
        assert_eq!(of_target("t14"), [""; 0]);
        assert_eq!(targets(certificates.listed(|one| one.client_id == "c", NOW_MS)).0, ["x", "y", "z"]);
    }
}
