//! Which partition each line of a message belongs to. The client decides, whatever subject others have published at: each partition
//! gets the lines of its clients, so that copies of an event meet in one partition, and a pair has one row.
//!
//! Decision: D-018.

use std::collections::BTreeMap;
use std::iter::once;
use std::num::NonZeroU16;

use memchr::memchr_iter;
use netqoe_model::{Event, Partition};

use super::glance::client_at_a_glance;
use super::subjects::Origin;

/// What one partition gets of a message. Lines keep their numbers: a line of another partition is replaced by a blank one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Share {
    pub partition: Partition,
    pub lines: Vec<u8>,
}

/// What each partition gets of a message with these lines.
///
/// What can't be read goes to the partition that the subject names, or to the first one. The one that the subject names
/// gets an empty share where no line is its own: so its log time moves on, and so does what shows the progress, which
/// sees no more of a message than its subject.
pub(super) fn shares(origin: Origin, lines: Vec<u8>, partitions: NonZeroU16) -> Vec<Share> {
    let named = match origin {
        Origin::Partition(partition) => Some(partition),
        Origin::Plain | Origin::Misnamed => None,
        Origin::Foreign => return Vec::new(),
    };
    let owners: Vec<_> = split(&lines).map(|line| owner(named, line, partitions)).collect();
    let mut owning = named.into_iter().chain(owners.iter().flatten().copied());
    let first = owning.next().unwrap_or_default();
    if owning.all(|owner| owner == first) {
        return vec![Share { partition: first, lines }];
    }
    divide(named, &lines, &owners)
}

/// The partition of a line; `None` if it is blank.
fn owner(named: Option<Partition>, line: &[u8], partitions: NonZeroU16) -> Option<Partition> {
    if line.trim_ascii().is_empty() {
        return None;
    }
    // As a rule the subject is right, and nothing has to be parsed to know it.
    let of = |client: &str| Partition::of(client, partitions);
    if let Some(named) = named
        && client_at_a_glance(line).map(of) == Some(named)
    {
        return Some(named);
    }
    Some(Event::parse(line).map_or(named.unwrap_or_default(), |event| of(&event.client_id)))
}

fn divide(named: Option<Partition>, lines: &[u8], owners: &[Option<Partition>]) -> Vec<Share> {
    // Of each: its lines, and how many those are.
    let mut shares: BTreeMap<Partition, (Vec<u8>, usize)> = BTreeMap::new();
    shares.extend(named.map(|named| (named, <_>::default())));
    for (index, (line, owner)) in split(lines).zip(owners).enumerate() {
        let Some(owner) = owner else { continue };
        let (share, count) = shares.entry(*owner).or_default();
        share.resize(share.len() + index - *count, b'\n');
        share.extend_from_slice(line);
        share.push(b'\n');
        *count = index + 1;
    }
    shares.into_iter().map(|(partition, (lines, _))| Share { partition, lines }).collect()
}

/// The lines, without their ends. One thread does so for all that a process reads, so it does not go byte by byte.
fn split(lines: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = lines.strip_suffix(b"\n").unwrap_or(lines);
    let ends = memchr_iter(b'\n', lines).chain(once(lines.len()));
    ends.scan(0, |start, end| Some(&lines[std::mem::replace(start, end + 1)..end]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PARTITIONS: NonZeroU16 = NonZeroU16::new(4).unwrap();

    fn event(client: &str) -> String {
        format!(r#"{{"event_id":"e","client_id":"{client}","ts_ms":1,"target":"t","timing_measurements":{{}}}}"#)
    }

    /// A client of this partition.
    fn client(partition: u16) -> String {
        (0..).map(|n| format!("c{n}")).find(|client| Partition::of(client, PARTITIONS) == Partition(partition)).unwrap()
    }

    #[track_caller]
    fn check(origin: Origin, lines: &str, expected: &[(u16, &str)]) {
        let found = shares(origin, lines.as_bytes().to_vec(), PARTITIONS);
        let found: Vec<_> =
            found.iter().map(|share| (share.partition.0, std::str::from_utf8(&share.lines).unwrap())).collect();
        assert_eq!(found, expected);
    }

    const ONE: Origin = Origin::Partition(Partition(1));

    #[test]
    fn what_its_subject_names_stays_whole() {
        let own = format!("{0}\n\n{0}\r\n", event(&client(1)));
        check(ONE, &own, &[(1, &own)]);
        check(ONE, "", &[(1, "")]);
        check(ONE, "no JSON\n[]\n", &[(1, "no JSON\n[]\n")]);
        let without_end = event(&client(1));
        check(ONE, &without_end, &[(1, &without_end)]);
    }

    #[test]
    fn each_line_goes_to_its_client_under_its_number() {
        let [one, two, three] = [1, 2, 3].map(|partition| event(&client(partition)));
        check(ONE, &format!("{two}\n"), &[(1, ""), (2, &format!("{two}\n"))]);
        let escaped =
            event("a").replace("client_id", "client\\u005fid").replace("\"a\"", &format!("\"{}\"", client(3)));
        check(
            ONE,
            &format!("{two}\nno JSON\n\n{one}\n{escaped}\n{two}"),
            &[
                (1, &format!("\nno JSON\n\n{one}\n")),
                (2, &format!("{two}\n\n\n\n\n{two}\n")),
                (3, &format!("\n\n\n\n{escaped}\n")),
            ],
        );
        for nameless in [Origin::Plain, Origin::Misnamed] {
            check(nameless, &three, &[(3, &three)]);
            check(nameless, "no JSON", &[(0, "no JSON")]);
            check(nameless, "", &[(0, "")]);
            check(nameless, &format!("{three}\n{two}\n"), &[(2, &format!("\n{two}\n")), (3, &format!("{three}\n"))]);
        }
        check(Origin::Foreign, &one, &[]);
    }

    #[test]
    fn lines_are_those_of_the_standard_library() {
        for lines in ["", "\n", "\n\n", "a", "a\n", "a\nb", "\na\n\nb\n\n"] {
            let without_end = lines.strip_suffix('\n').unwrap_or(lines);
            let found: Vec<_> = split(lines.as_bytes()).map(|line| std::str::from_utf8(line).unwrap()).collect();
            assert_eq!(found, without_end.split('\n').collect::<Vec<_>>(), "{lines:?}");
        }
    }

    proptest! {
        /// Nothing is lost, nothing is there twice, and everything keeps its number.
        #[test]
        fn every_line_is_in_one_share_and_every_event_in_its_clients(
            named in proptest::option::of(0_u16..4),
            lines in proptest::collection::vec(
                prop_oneof![
                    4 => (0_u32..9).prop_map(|n| event(&format!("c{n}"))),
                    1 => Just(String::new()),
                    1 => "[ -~]{0,9}",
                ],
                0..12,
            ),
        ) {
            let origin = named.map_or(Origin::Plain, |named| Origin::Partition(Partition(named)));
            let found = shares(origin, lines.join("\n").into_bytes(), PARTITIONS);
            let mut numbered = BTreeMap::new();
            for share in &found {
                for (number, line) in split(&share.lines).enumerate().filter(|(_, line)| !line.trim_ascii().is_empty()) {
                    prop_assert_eq!(numbered.insert(number, line.to_vec()), None);
                    let unread = Partition(named.unwrap_or(0));
                    let expected = Event::parse(line).map_or(unread, |event| Partition::of(&event.client_id, PARTITIONS));
                    prop_assert_eq!(share.partition, expected);
                }
            }
            let expected: BTreeMap<_, _> = lines
                .iter()
                .enumerate()
                .filter(|(_, line)| !line.trim_ascii().is_empty())
                .map(|(number, line)| (number, line.as_bytes().to_vec()))
                .collect();
            prop_assert_eq!(numbered, expected);
        }

        #[test]
        fn any_bytes_are_somebodys(named in 0_u16..4, lines: Vec<u8>) {
            let found = shares(Origin::Partition(Partition(named)), lines.clone(), PARTITIONS);
            prop_assert_eq!(found, vec![Share { partition: Partition(named), lines }]);
        }
    }
}
