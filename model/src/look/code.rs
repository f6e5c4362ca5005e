//! The sightings of a look as bytes: two or three for a healthy pair.
//!
//! Names are written once, in tables that belong to the bytes. Sightings of one client follow each other, so they share
//! its name and its network; most windows are the one that has just ended, which takes no byte.
//!
//! ```text
//! 1 or 2 (version), unit_ms
//! targets:     count, then each name: length, bytes
//! networks:    count, then each: which of its three names are there (bits), then these: length, bytes
//! labels:      in version 2 only, which is written where a sighting has labels: count, then each: those of the client and of the
//!              target as JSON: length, bytes (none: 0)
//! clients:     until the end: bytes shared with the name before, length of the rest, the rest,
//!              network (0: none, otherwise place in the table from 1), count, then each sighting:
//!                  steps from the target before (zigzag), then one byte: standing (5 bits), other window (bit 5),
//!                  other network (bit 6), other labels than the sighting before of the client (bit 7, in version 2); then, where
//!                  the bit is set, how many units before the look the window starts (zigzag), the network, and the labels
//!                  (0: none, otherwise place in the table from 1)
//! ```
//!
//! All numbers are LEB128 varints.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Look, Sighting, Standing};
use crate::{
    Label, MAX_CLIENT_ID_BYTES, MAX_NETWORK_NAME_BYTES, MAX_TARGET_BYTES, Network, PairTags, Severity, WindowStart,
};

const VERSION: u8 = 1;
/// The same with labels: only where there are any, so that looks without them are as they ever were.
const VERSION_WITH_LABELS: u8 = 2;

const STANDING_BITS: u8 = 0b0001_1111;
const OTHER_WINDOW: u8 = 0b0010_0000;
const OTHER_NETWORK: u8 = 0b0100_0000;
const OTHER_LABELS: u8 = 0b1000_0000;

/// The longest JSON text of labels: 16 names and values with their quotes, where each byte of a value may be an escape of six.
const MAX_LABELS_BYTES: usize = crate::MAX_TAGS * (crate::MAX_TAG_KEY_BYTES + 6 * crate::MAX_TAG_VALUE_BYTES + 6) + 2;

const SEVERITIES: [Severity; 3] = [Severity::Minor, Severity::Major, Severity::Critical];
/// The first code of a degraded window. Those of a label follow each other, by severity.
const FIRST_DEGRADED: u8 = 2;
/// The first code of a suspected window, after those of all labels but healthy.
const FIRST_SUSPECTED: u8 = FIRST_DEGRADED + ((Label::ALL.len() - 1) * SEVERITIES.len()) as u8;
/// After those of all labels but healthy.
const WORKING: u8 = FIRST_SUSPECTED + (Label::ALL.len() - 1) as u8;

/// Bytes that are no sightings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLook {
    /// They were written by another version of netqoe.
    #[error("a look of format {0}, which this netqoe does not know")]
    Version(u8),
    /// They end too early.
    #[error("a look that ends in the middle")]
    Truncated,
    /// They hold something that is never written.
    #[error("a look with {0}")]
    Content(&'static str),
}

impl Look {
    /// The sightings as bytes.
    pub fn sightings_to_bytes(&self) -> Vec<u8> {
        let unit_ms = self.unit_ms();
        let (targets, networks) =
            (Table::of(&self.sightings, |it| Some(&it.target)), Table::of(&self.sightings, |it| it.network.as_ref()));
        let tags = Table::of(&self.sightings, |it| it.tags.as_ref());
        let has_labels = !tags.in_order.is_empty();
        let mut bytes = vec![if has_labels { VERSION_WITH_LABELS } else { VERSION }];
        push_number(&mut bytes, unit_ms);
        push_number(&mut bytes, targets.in_order.len() as u64);
        targets.in_order.keys().for_each(|target| push_text(&mut bytes, target));
        push_number(&mut bytes, networks.in_order.len() as u64);
        networks.in_order.keys().for_each(|network| push_network(&mut bytes, network));
        if has_labels {
            push_number(&mut bytes, tags.in_order.len() as u64);
            tags.in_order.keys().for_each(|tags| push_tags(&mut bytes, tags));
        }
        let mut client_before = "";
        for of_client in self.sightings.chunk_by(|a, b| a.client_id == b.client_id) {
            let client_id = &*of_client[0].client_id;
            let shared = shared_bytes(client_before, client_id);
            push_number(&mut bytes, shared as u64);
            push_text(&mut bytes, &client_id[shared..]);
            client_before = client_id;
            let network_of =
                |sighting: &Sighting| sighting.network.as_ref().map_or(0, |network| networks.place(network) + 1);
            let tags_of = |sighting: &Sighting| sighting.tags.as_ref().map_or(0, |of_pair| tags.place(of_pair) + 1);
            let (mut network, mut labels, mut target) = (network_of(&of_client[0]), 0, 0);
            push_number(&mut bytes, network);
            push_number(&mut bytes, of_client.len() as u64);
            for sighting in of_client {
                let place = targets.place(&sighting.target);
                push_signed(&mut bytes, place.cast_signed() - target);
                target = place.cast_signed();
                let units = (self.at.ms() - sighting.window.ms()) / unit_ms.cast_signed();
                let (other_network, other_labels) = (network_of(sighting), tags_of(sighting));
                let mut code = standing_code(sighting.standing);
                code |= if units == 1 { 0 } else { OTHER_WINDOW };
                code |= if other_network == network { 0 } else { OTHER_NETWORK };
                code |= if other_labels == labels { 0 } else { OTHER_LABELS };
                bytes.push(code);
                if units != 1 {
                    push_signed(&mut bytes, units);
                }
                if other_network != network {
                    network = other_network;
                    push_number(&mut bytes, network);
                }
                if other_labels != labels {
                    labels = other_labels;
                    push_number(&mut bytes, labels);
                }
            }
        }
        bytes
    }

    /// The sightings that these bytes hold, of a look at `at`.
    ///
    /// # Errors
    /// [`InvalidLook`] for all bytes that [`Look::sightings_to_bytes`] does not write.
    pub fn sightings_from_bytes(bytes: &[u8], at: WindowStart) -> Result<Vec<Sighting>, InvalidLook> {
        let (&version, rest) = bytes.split_first().ok_or(InvalidLook::Truncated)?;
        let has_labels = version == VERSION_WITH_LABELS;
        if version != VERSION && !has_labels {
            return Err(InvalidLook::Version(version));
        }
        let mut rest = Rest(rest);
        let unit_ms = i64::try_from(rest.number()?).map_err(|_| InvalidLook::Content("a unit that is too long"))?;
        let targets = (0..rest.count()?)
            .map(|_| rest.text(MAX_TARGET_BYTES).map(Arc::from))
            .collect::<Result<Vec<Arc<str>>, _>>()?;
        let networks = (0..rest.count()?).map(|_| rest.network().map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
        let count = if has_labels { rest.count()? } else { 0 };
        let tags = (0..count).map(|_| rest.tags().map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
        let mut sightings = Vec::new();
        let mut client_before = String::new();
        while !rest.0.is_empty() {
            let client_id = rest.client(&client_before)?;
            client_before = (*client_id).to_owned();
            let mut network = rest.one_of(&networks, "an unknown network")?;
            let (mut labels, mut target) = (None, 0_i64);
            for _ in 0..rest.count()? {
                target = target.checked_add(rest.signed()?).ok_or(InvalidLook::Content("an unknown target"))?;
                let code = rest.byte()?;
                let units = if code & OTHER_WINDOW == 0 { 1 } else { rest.signed()? };
                if code & OTHER_NETWORK != 0 {
                    network = rest.one_of(&networks, "an unknown network")?;
                }
                if has_labels && code & OTHER_LABELS != 0 {
                    labels = rest.one_of(&tags, "unknown labels")?;
                }
                let named = usize::try_from(target).ok().and_then(|place| targets.get(place));
                let window_ms = units.checked_mul(unit_ms).and_then(|before_ms| at.ms().checked_sub(before_ms));
                sightings.push(Sighting {
                    client_id: Arc::clone(&client_id),
                    target: Arc::clone(named.ok_or(InvalidLook::Content("an unknown target"))?),
                    window: WindowStart::from_ms(window_ms.ok_or(InvalidLook::Content("a window beyond all times"))?),
                    standing: standing(
                        code & !(OTHER_WINDOW | OTHER_NETWORK | if has_labels { OTHER_LABELS } else { 0 }),
                    )?,
                    network: network.clone(),
                    tags: labels.clone(),
                });
            }
        }
        Ok(sightings)
    }

    /// What all windows are a whole number of before the look: the length of a window.
    fn unit_ms(&self) -> u64 {
        let apart = self.sightings.iter().map(|sighting| self.at.ms().abs_diff(sighting.window.ms()));
        apart.fold(0, greatest_common_divisor).max(1)
    }
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Distinct values, each with its place in their order. Thousands of sightings share a value, and to see that two are one is
/// quicker than to compare them.
struct Table<'a, T: ?Sized> {
    in_order: BTreeMap<&'a T, u64>,
    /// The same by where the value lies in memory, which decides nothing else.
    by_address: HashMap<usize, u64>,
}

impl<'a, T: Ord + ?Sized> Table<'a, T> {
    fn of(sightings: &'a [Sighting], value: impl Fn(&'a Sighting) -> Option<&'a Arc<T>>) -> Self {
        let (mut seen, mut by_address) = (Vec::new(), HashMap::new());
        for value in sightings.iter().filter_map(value) {
            if by_address.insert(address(value), 0).is_none() {
                seen.push(value);
            }
        }
        let mut in_order: BTreeMap<&T, u64> = seen.iter().map(|value| (&***value, 0)).collect();
        (0..).zip(in_order.values_mut()).for_each(|(nth, place)| *place = nth);
        by_address.extend(seen.iter().map(|value| (address(value), in_order[&***value])));
        Self { in_order, by_address }
    }

    fn place(&self, value: &Arc<T>) -> u64 {
        self.by_address.get(&address(value)).copied().unwrap_or_default() // all of them are there
    }
}

fn address<T: ?Sized>(value: &Arc<T>) -> usize {
    Arc::as_ptr(value).cast::<u8>() as usize
}

fn standing_code(standing: Standing) -> u8 {
    match standing {
        Standing::Unjudged => 0,
        Standing::Healthy => 1,
        Standing::Degraded(label, severity) => FIRST_DEGRADED + label as u8 * SEVERITIES.len() as u8 + severity as u8,
        Standing::Suspected(label) => FIRST_SUSPECTED + label as u8,
        Standing::Working => WORKING,
    }
}

fn standing(code: u8) -> Result<Standing, InvalidLook> {
    let label = |nth: usize| Label::ALL.get(nth).copied().filter(|label| *label != Label::Healthy);
    let degraded =
        |nth: usize| Some(Standing::Degraded(label(nth / SEVERITIES.len())?, SEVERITIES[nth % SEVERITIES.len()]));
    let labelled = match code.checked_sub(FIRST_SUSPECTED) {
        Some(nth) => label(nth.into()).map(Standing::Suspected),
        None => code.checked_sub(FIRST_DEGRADED).and_then(|nth| degraded(nth.into())),
    };
    match code {
        0 => Ok(Standing::Unjudged),
        1 => Ok(Standing::Healthy),
        WORKING => Ok(Standing::Working),
        _ => labelled.filter(|_| code <= STANDING_BITS).ok_or(InvalidLook::Content("an unknown standing")),
    }
}

/// How many bytes both names begin with, in whole characters.
fn shared_bytes(before: &str, name: &str) -> usize {
    let same = before.bytes().zip(name.bytes()).take_while(|(a, b)| a == b).count();
    name.floor_char_boundary(same)
}

fn push_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Numbers near 0 take one byte, whatever their sign.
fn push_signed(bytes: &mut Vec<u8>, number: i64) {
    push_number(bytes, ((number << 1) ^ (number >> 63)).cast_unsigned());
}

fn push_text(bytes: &mut Vec<u8>, text: &str) {
    push_number(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

fn push_network(bytes: &mut Vec<u8>, network: &Network) {
    let names = network.names();
    bytes.push((0..).zip(names).map(|(bit, name)| u8::from(name.is_some()) << bit).sum());
    names.into_iter().flatten().for_each(|name| push_text(bytes, name));
}

fn push_tags(bytes: &mut Vec<u8>, tags: &PairTags) {
    tags.json().into_iter().for_each(|json| push_text(bytes, json.unwrap_or_default()));
}

/// The bytes that are not read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn byte(&mut self) -> Result<u8, InvalidLook> {
        let (&byte, rest) = self.0.split_first().ok_or(InvalidLook::Truncated)?;
        self.0 = rest;
        Ok(byte)
    }

    fn number(&mut self) -> Result<u64, InvalidLook> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7F);
            if bits << shift >> shift != bits {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(InvalidLook::Content("a number beyond 64 bits"))
    }

    fn signed(&mut self) -> Result<i64, InvalidLook> {
        let number = self.number()?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    /// A number of things that take at least a byte each.
    fn count(&mut self) -> Result<usize, InvalidLook> {
        let count = self.number()?;
        usize::try_from(count).ok().filter(|count| *count <= self.0.len()).ok_or(InvalidLook::Truncated)
    }

    fn text(&mut self, most_bytes: usize) -> Result<&'a str, InvalidLook> {
        let length = self.count()?;
        if length > most_bytes {
            return Err(InvalidLook::Content("a name that is too long"));
        }
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        std::str::from_utf8(text).map_err(|_| InvalidLook::Content("a name that is no text"))
    }

    /// A client, whose name begins as the one before does.
    fn client(&mut self, before: &str) -> Result<Arc<str>, InvalidLook> {
        let shared = usize::try_from(self.number()?).ok().and_then(|shared| before.get(..shared));
        let shared = shared.ok_or(InvalidLook::Content("a name that begins like no other"))?;
        let own = self.text(MAX_CLIENT_ID_BYTES)?;
        if shared.len() + own.len() > MAX_CLIENT_ID_BYTES {
            return Err(InvalidLook::Content("a name that is too long"));
        }
        Ok([shared, own].concat().into())
    }

    fn network(&mut self) -> Result<Network, InvalidLook> {
        let bits = self.byte()?;
        let mut names = [None; 3];
        for (bit, name) in names.iter_mut().enumerate() {
            if bits >> bit & 1 == 1 {
                *name = Some(self.text(MAX_NETWORK_NAME_BYTES)?);
            }
        }
        let network = Network::named(names[0], names[1], names[2]);
        network.filter(|_| bits < 0b1000).ok_or(InvalidLook::Content("a network without a name"))
    }

    fn tags(&mut self) -> Result<PairTags, InvalidLook> {
        let json = [self.text(MAX_LABELS_BYTES)?, self.text(MAX_LABELS_BYTES)?];
        PairTags::parse(json).ok_or(InvalidLook::Content("labels that are none"))
    }

    /// None for 0, and otherwise what is at this place of the table, from 1.
    fn one_of<T>(&mut self, table: &[Arc<T>], unknown: &'static str) -> Result<Option<Arc<T>>, InvalidLook> {
        let Some(place) = self.number()?.checked_sub(1) else { return Ok(None) };
        let found = usize::try_from(place).ok().and_then(|place| table.get(place));
        found.cloned().map(Some).ok_or(InvalidLook::Content(unknown))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Partition, Tags};

    const AT: WindowStart = WindowStart::from_ms(1_700_000_040_000);

    fn standings() -> Vec<Standing> {
        let labels = Label::ALL.into_iter().filter(|label| *label != Label::Healthy);
        let suspected = labels.clone().map(Standing::Suspected);
        let degraded = labels.flat_map(|label| SEVERITIES.map(|severity| Standing::Degraded(label, severity)));
        [Standing::Unjudged, Standing::Working, Standing::Healthy]
            .into_iter()
            .chain(degraded)
            .chain(suspected)
            .collect()
    }

    fn sighting() -> impl Strategy<Value = Sighting> {
        let name = || prop_oneof!["[a-c]{1,3}", "\\PC{1,20}"];
        let network = prop::option::of(prop_oneof![
            Just(Network::named(None, Some("isp-a"), None)),
            (prop::option::of("[a-b]{0,2}"), prop::option::of("[a-b]{1,2}"), prop::option::of("\\PC{1,9}"))
                .prop_map(|(a, b, c)| Network::named(a.as_deref(), b.as_deref(), c.as_deref())),
        ]);
        let window = prop_oneof![
            8 => (-2..6_i64).prop_map(|units| AT.ms() - units * 60_000),
            1 => 0..crate::MAX_TIME_MS,
        ];
        let tags = || prop_oneof![3 => Just("null".to_owned()), 1 => "\\{\"[a-b]\":\"[a-bé]{0,2}\"\\}"];
        let tags = prop_oneof![1 => Just(None), 1 => (tags(), tags()).prop_map(|(client, target)| {
            PairTags::of(Tags::parse(&client)?, Tags::parse(&target)?)
        })];
        (name(), name(), window, prop::sample::select(standings()), network, tags).prop_map(
            |(client_id, target, window_ms, standing, network, tags)| Sighting {
                client_id: client_id.into(),
                target: target.into(),
                window: WindowStart::from_ms(window_ms),
                standing,
                network: network.flatten().map(Arc::new),
                tags: tags.map(Arc::new),
            },
        )
    }

    fn look(sightings: Vec<Sighting>) -> Look {
        Look { partition: Partition(3), at: AT, sightings }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(mut sightings in prop::collection::vec(sighting(), 0..60), sorted: bool) {
            if sorted {
                let key = |it: &Sighting| (it.client_id.clone(), it.target.clone(), it.window);
                sightings.sort_by_key(key);
            }
            let look = look(sightings);
            prop_assert_eq!(Look::sightings_from_bytes(&look.sightings_to_bytes(), AT), Ok(look.sightings));
        }

        #[test]
        fn damaged_bytes_are_no_panic(
            sightings in prop::collection::vec(sighting(), 1..10), at: prop::sample::Index, byte: u8, cut: bool,
        ) {
            let mut bytes = look(sightings).sightings_to_bytes();
            let at = at.index(bytes.len());
            if cut { bytes.truncate(at) } else { bytes[at] = byte }
            let _ = Look::sightings_from_bytes(&bytes, AT);
        }

        #[test]
        fn any_bytes_are_looked_at(version in VERSION..=VERSION_WITH_LABELS, bytes: Vec<u8>, at: i64) {
            let versioned = [&[version], &*bytes].concat();
            let _ = Look::sightings_from_bytes(&versioned, WindowStart::from_ms(at));
        }
    }

    #[test]
    fn a_healthy_pair_takes_two_bytes() {
        let network = Network::named(Some("wifi"), Some("isp-a"), Some("home")).map(Arc::new);
        let pair = |nth: usize| Sighting {
            client_id: format!("client-{:04}", nth / 20).into(),
            target: format!("https://target-{:02}.example.com/", nth % 20).into(),
            window: WindowStart::from_ms(AT.ms() - 60_000),
            standing: Standing::Healthy,
            network: network.clone(),
            tags: None,
        };
        let bytes = look((0..2_000).map(pair).collect()).sightings_to_bytes();
        assert!(bytes.len() < 2_000 * 3, "{} bytes", bytes.len());
    }

    #[test]
    fn what_is_never_written_is_refused() {
        for (bytes, refused) in [
            (&[][..], InvalidLook::Truncated),
            (&[3], InvalidLook::Version(3)),
            (&[VERSION, 60], InvalidLook::Truncated),
            // Four milliards of targets.
            (&[VERSION, 60, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F], InvalidLook::Truncated),
            (
                &[VERSION, 60, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
                InvalidLook::Content("a number beyond 64 bits"),
            ),
            (&[VERSION, 60, 1, 1, 0xFF, 0], InvalidLook::Content("a name that is no text")),
            (&[VERSION, 60, 0, 1, 0, 0], InvalidLook::Content("a network without a name")),
            (&[VERSION, 60, 0, 0, 1, 1, b'c', 0, 0], InvalidLook::Content("a name that begins like no other")),
            (&[VERSION, 60, 0, 0, 0, 1, b'c', 1, 0], InvalidLook::Content("an unknown network")),
            (&[VERSION, 60, 0, 0, 0, 1, b'c', 0, 1, 0, 1], InvalidLook::Content("an unknown target")),
            (&[VERSION, 60, 1, 1, b't', 0, 0, 1, b'c', 0, 1, 0, 23], InvalidLook::Content("an unknown standing")),
            (&[VERSION, 60, 1, 1, b't', 0, 0, 1, b'c', 0, 1, 0, 0x81], InvalidLook::Content("an unknown standing")),
        ] {
            assert_eq!(Look::sightings_from_bytes(bytes, AT), Err(refused), "{bytes:?}");
        }
    }

    #[test]
    fn labels_that_are_never_written_are_refused() {
        const LABELS: u8 = VERSION_WITH_LABELS;
        for (bytes, refused) in [
            (&[LABELS, 60, 0, 0, 1, 0, 0][..], InvalidLook::Content("labels that are none")),
            (&[LABELS, 60, 0, 0, 1, 2, b'[', b']', 0], InvalidLook::Content("labels that are none")),
            (&[LABELS, 60, 0, 0, 1, 9], InvalidLook::Truncated),
            (
                &[LABELS, 60, 1, 1, b't', 0, 0, 0, 1, b'c', 0, 1, 0, OTHER_LABELS, 1],
                InvalidLook::Content("unknown labels"),
            ),
        ] {
            assert_eq!(Look::sightings_from_bytes(bytes, AT), Err(refused), "{bytes:?}");
        }
    }

    #[test]
    fn a_look_without_labels_is_as_it_ever_was() {
        let pair = |tags| Sighting {
            client_id: "c".into(),
            target: "t".into(),
            window: WindowStart::from_ms(AT.ms() - 60_000),
            standing: Standing::Healthy,
            network: None,
            tags,
        };
        let without = look(vec![pair(None)]).sightings_to_bytes();
        assert_eq!(without, [&[VERSION, 0xE0, 0xD4, 3][..], &[1, 1, b't', 0, 0, 1, b'c', 0, 1, 0, 1]].concat());
        let tags = PairTags::of(Tags::parse(r#"{"a":"b"}"#).unwrap(), Tags::default()).map(Arc::new);
        let with = look(vec![pair(tags)]).sightings_to_bytes();
        assert_eq!((with[0], with.len()), (VERSION_WITH_LABELS, without.len() + 1 + 1 + 9 + 1 + 1));
    }
}
