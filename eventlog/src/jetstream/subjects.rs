//! Which subject is which partition.

use std::num::NonZeroU16;

use netqoe_model::Partition;

/// Where a message of the stream belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// To this partition.
    Partition(Partition),
    /// To the partitions of its events' clients.
    Plain,
    /// To those too: its subject is one of the log's, and names no partition that there is.
    Misnamed,
    /// To no log: the stream takes its subject for somebody else.
    Foreign,
}

#[derive(Clone, Debug)]
pub(super) struct Subjects {
    plain: String,
    partitions: NonZeroU16,
}

impl Subjects {
    pub(super) fn new(plain: &str, partitions: NonZeroU16) -> Self {
        Self { plain: plain.to_owned(), partitions }
    }

    /// What the stream of the log takes.
    pub(super) fn of_stream(plain: &str) -> [String; 2] {
        [plain.to_owned(), format!("{plain}.*")]
    }

    /// The one that names no partition.
    pub(super) fn plain(&self) -> &str {
        &self.plain
    }

    pub(super) fn of(&self, partition: Partition) -> String {
        format!("{}.{partition}", self.plain)
    }

    pub(super) fn origin(&self, subject: &str) -> Origin {
        let Some(rest) = subject.strip_prefix(&self.plain) else { return Origin::Foreign };
        if rest.is_empty() {
            return Origin::Plain;
        }
        let Some(token) = rest.strip_prefix('.').filter(|token| !token.contains('.')) else { return Origin::Foreign };
        // Only as it is written here: no sign, no leading zero.
        match token.parse().ok().map(Partition) {
            Some(partition) if partition.0 < self.partitions.get() && self.of(partition) == subject => {
                Origin::Partition(partition)
            }
            _ => Origin::Misnamed,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_subject_names_one_partition_in_one_way() {
        let subjects = Subjects::new("a.b", NonZeroU16::new(16).unwrap());
        for (subject, origin) in [
            ("a.b", Origin::Plain),
            ("a.b.0", Origin::Partition(Partition(0))),
            ("a.b.15", Origin::Partition(Partition(15))),
            ("a.b.16", Origin::Misnamed),
            ("a.b.99999999999999999999", Origin::Misnamed),
            ("a.b.-1", Origin::Misnamed),
            ("a.b.+1", Origin::Misnamed),
            ("a.b.01", Origin::Misnamed),
            ("a.b.", Origin::Misnamed),
            ("a.b.x", Origin::Misnamed),
            ("a.b.1.2", Origin::Foreign),
            ("a.b1", Origin::Foreign),
            ("a", Origin::Foreign),
        ] {
            assert_eq!(subjects.origin(subject), origin, "{subject}");
        }
        assert_eq!(subjects.of(Partition(3)), "a.b.3");
    }

    proptest! {
        #[test]
        fn any_subject_belongs_somewhere(subject: String, partition: u16, partitions: NonZeroU16) {
            let subjects = Subjects::new("a.b", partitions);
            subjects.origin(&subject);
            subjects.origin(&format!("a.b.{subject}"));
            let named = if partition < partitions.get() { Origin::Partition(Partition(partition)) } else { Origin::Misnamed };
            prop_assert_eq!(subjects.origin(&subjects.of(Partition(partition))), named);
        }
    }
}
