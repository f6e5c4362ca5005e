//! Messages of DNS (RFC 1035): a question is written, an answer is read.
//!
//! An answer is read as far as it can be: what it holds beside addresses and aliases, and what is broken behind
//! them, is ignored. A message that is not an answer to the question is ignored as a whole.
//!
//! Decision: D-057.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Family;
use super::name::{DnsName, MAX_NAME_BYTES};

const HEADER_BYTES: usize = 12;
const CLASS_IN: u16 = 1;
const CNAME: u16 = 5;
const OPT: u16 = 41;
/// How long an answer over UDP may be, where EDNS says it: no longer than what passes every network in one piece.
const EDNS_UDP_BYTES: u16 = 1232;
/// Records of one answer that are looked at. No name has as many; what comes behind them is not used.
const MAX_RECORDS: usize = 1024;
/// Aliases that are followed one after the other. Eight are many already; without a bound, a hostile answer would be
/// walked through once for each of its records.
const MAX_ALIASES: usize = 64;

/// What a question asks its server for besides the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct QuestionOptions {
    /// Says that answers of more than 512 bytes are taken (RFC 6891).
    pub(super) with_edns: bool,
    /// Asks whether the answer was found authentic (RFC 6840, section 5.7).
    pub(super) with_ad: bool,
}

/// A message with the one question.
pub(super) fn question(id: u16, name: &DnsName, family: Family, options: QuestionOptions) -> Vec<u8> {
    // Recursion desired.
    let flags = 0x0100 | if options.with_ad { 0x0020 } else { 0 };
    let mut message = Vec::with_capacity(HEADER_BYTES + name.wire().len() + 15);
    for field in [id, flags, 1, 0, 0, u16::from(options.with_edns)] {
        message.extend_from_slice(&field.to_be_bytes());
    }
    message.extend_from_slice(name.wire());
    message.extend_from_slice(&family.record_type().to_be_bytes());
    message.extend_from_slice(&CLASS_IN.to_be_bytes());
    if options.with_edns {
        // The root, OPT, the length, and neither flags nor options.
        message.push(0);
        message.extend_from_slice(&OPT.to_be_bytes());
        message.extend_from_slice(&EDNS_UDP_BYTES.to_be_bytes());
        message.extend_from_slice(&[0; 6]);
    }
    message
}

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The response code, with what EDNS adds to it.
    pub code: u16,
    /// Whether it was cut to fit into a datagram.
    pub is_truncated: bool,
    /// Whether it only names other servers: it has no answer, no authority over the name, and asks nobody else.
    pub is_referral: bool,
    /// Whether something in it could not be read.
    pub is_damaged: bool,
    /// The addresses of the name, or of what it is an alias of.
    pub addresses: Vec<IpAddr>,
    /// What the name is an alias of in the end, if it is one.
    pub alias: Option<DnsName>,
}

/// Reads the answer to the question with this id for `name`; `None` if the message is not an answer to it.
pub fn read_answer(message: &[u8], id: u16, name: &DnsName, family: Family) -> Option<Reply> {
    let field = |at: usize| Some(u16::from_be_bytes(message.get(at..at + 2)?.try_into().ok()?));
    let (flags, questions) = (field(2)?, field(4)?);
    let counts = [field(6)?, field(8)?, field(10)?];
    let is_answer = flags & 0x8000 != 0 && flags & 0x7800 == 0;
    if field(0)? != id || !is_answer {
        return None;
    }
    let code = flags & 0x000f;
    let mut reader = Reader { message, at: HEADER_BYTES };
    match questions {
        // Servers that can't read a question, as one with EDNS, answer with a bare head.
        0 if code != 0 => {}
        1 => {
            let (asked, of_type, class) = (reader.name()?, reader.number()?, reader.number()?);
            if !asked.is_same(name) || of_type != family.record_type() || class != CLASS_IN {
                return None;
            }
        }
        _ => return None,
    }
    let records = Records::read(&mut reader, counts, family);
    let (addresses, alias) = records.of(name);
    Some(Reply {
        code: code | records.high_code << 4,
        is_truncated: flags & 0x0200 != 0,
        // Neither authoritative nor with recursion available.
        is_referral: flags & 0x0480 == 0 && code == 0 && counts[0] == 0,
        is_damaged: records.is_damaged,
        addresses,
        alias,
    })
}

/// What is of use in the records of an answer.
#[derive(Default)]
struct Records {
    /// Each with the name that has it.
    addresses: Vec<(DnsName, IpAddr)>,
    /// Each with the name that it is an alias of.
    aliases: Vec<(DnsName, DnsName)>,
    /// The upper bits of the response code.
    high_code: u16,
    is_damaged: bool,
}

impl Records {
    fn read(reader: &mut Reader<'_>, counts: [u16; 3], family: Family) -> Self {
        let mut records = Self::default();
        let answers = usize::from(counts[0]);
        let all = answers + usize::from(counts[1]) + usize::from(counts[2]);
        for index in 0..all.min(MAX_RECORDS) {
            if records.take(reader, index < answers, family).is_none() {
                records.is_damaged = true;
                break;
            }
        }
        records
    }

    /// Takes the next record; `None` if there is none that can be read.
    fn take(&mut self, reader: &mut Reader<'_>, is_answer: bool, family: Family) -> Option<()> {
        let owner = reader.name()?;
        let (of_type, class) = (reader.number()?, reader.number()?);
        let (high_time_to_live, _) = (reader.number()?, reader.number()?);
        let length = usize::from(reader.number()?);
        let data_at = reader.at;
        let data = reader.message.get(data_at..data_at + length)?;
        reader.at += length;
        match of_type {
            OPT => self.high_code = high_time_to_live >> 8,
            _ if !is_answer || class != CLASS_IN => {}
            CNAME => match (Reader { at: data_at, ..*reader }).name() {
                Some(target) => self.aliases.push((owner, target)),
                None => self.is_damaged = true,
            },
            _ if of_type == family.record_type() => match family.address(data) {
                Some(address) => self.addresses.push((owner, address)),
                None => self.is_damaged = true,
            },
            _ => {}
        }
        Some(())
    }

    /// The addresses of `name`, followed through its aliases, in whichever order the records stand.
    fn of(&self, name: &DnsName) -> (Vec<IpAddr>, Option<DnsName>) {
        let mut chain = vec![name];
        while let Some((_, target)) =
            self.aliases.iter().find(|(owner, _)| chain.last().is_some_and(|last| owner.is_same(last)))
        {
            if chain.len() > MAX_ALIASES || chain.iter().any(|known| known.is_same(target)) {
                break;
            }
            chain.push(target);
        }
        let is_ours = |owner: &DnsName| chain.iter().any(|known| known.is_same(owner));
        let mut addresses: Vec<IpAddr> = Vec::new();
        for (owner, address) in &self.addresses {
            if is_ours(owner) && !addresses.contains(address) {
                addresses.push(*address);
            }
        }
        (addresses, chain.get(1).and(chain.last()).map(|last| (*last).clone()))
    }
}

impl Family {
    fn address(self, data: &[u8]) -> Option<IpAddr> {
        match self {
            Self::V4 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?).into()),
            Self::V6 => Some(Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?).into()),
        }
    }
}

/// A place in a message.
#[derive(Clone, Copy)]
struct Reader<'a> {
    message: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.message.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn number(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes([self.byte()?, self.byte()?]))
    }

    /// A name, whose end may be the end of one further ahead in the message. Each such pointer leads before the place
    /// that the last one led to, so that no message leads in a circle.
    fn name(&mut self) -> Option<DnsName> {
        let mut wire = Vec::new();
        let mut part = *self;
        let mut part_start = part.at;
        let mut behind = None;
        loop {
            let length = part.byte()?;
            match length {
                0 => break,
                1..=63 => {
                    let label = part.message.get(part.at..part.at + usize::from(length))?;
                    part.at += usize::from(length);
                    wire.push(length);
                    wire.extend_from_slice(label);
                    // With the 0 that is still to come.
                    if wire.len() + 1 > MAX_NAME_BYTES {
                        return None;
                    }
                }
                0xc0.. => {
                    let to = usize::from(u16::from_be_bytes([length & 0x3f, part.byte()?]));
                    behind = behind.or(Some(part.at));
                    if to >= part_start {
                        return None;
                    }
                    (part.at, part_start) = (to, to);
                }
                _ => return None,
            }
        }
        wire.push(0);
        self.at = behind.unwrap_or(part.at);
        Some(DnsName::from_wire(wire))
    }
}

#[cfg(test)]
mod tests;
