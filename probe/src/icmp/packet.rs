//! Echo requests and replies (RFC 792, RFC 4443).

/// Tells the echoes of one measurement from all others'.
pub(super) type Token = [u8; 16];

const HEAD_BYTES: usize = 8;
const REPLY_V4: u8 = 0;
const REQUEST_V4: u8 = 8;
const REQUEST_V6: u8 = 128;
const REPLY_V6: u8 = 129;

/// The request with this number.
pub(super) fn request(is_v4: bool, number: u16, token: Token) -> Vec<u8> {
    let mut packet = vec![if is_v4 { REQUEST_V4 } else { REQUEST_V6 }, 0, 0, 0];
    // An identifier, which an unprivileged socket replaces by its own.
    packet.extend_from_slice(&token[..2]);
    packet.extend_from_slice(&number.to_be_bytes());
    packet.extend_from_slice(&token);
    // That of ICMPv6 takes the addresses in, and is the kernel's matter.
    if is_v4 {
        let sum = checksum(&packet).to_be_bytes();
        packet[2..4].copy_from_slice(&sum);
    }
    packet
}

/// The number of the request that a packet answers; `None` if it is not a reply to this measurement.
pub(super) fn reply(is_v4: bool, has_ip_head: bool, packet: &[u8], token: Token) -> Option<u16> {
    let packet = if has_ip_head { packet.get(usize::from(packet.first()? & 0xf) * 4..)? } else { packet };
    let expected = if is_v4 { REPLY_V4 } else { REPLY_V6 };
    let is_ours = packet.first() == Some(&expected) && packet.get(HEAD_BYTES..)? == token;
    is_ours.then(|| u16::from_be_bytes([packet[6], packet[7]]))
}

/// The sum of RFC 1071.
fn checksum(packet: &[u8]) -> u16 {
    let words = packet.chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(word.get(1).copied().unwrap_or(0)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    // It is at most 16 bits wide now.
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: Token = *b"sixteen bytes ok";

    #[test]
    fn a_request_sums_up_to_all_ones() {
        let packet = request(true, 7, TOKEN);
        assert_eq!(checksum(&packet), 0, "the sum over a packet with its checksum is all ones, inverted");
        assert_eq!(packet.len(), HEAD_BYTES + TOKEN.len());
    }

    #[test]
    fn a_reply_is_told_from_everything_else() {
        for (is_v4, reply_type) in [(true, REPLY_V4), (false, REPLY_V6)] {
            let mut packet = request(is_v4, 258, TOKEN);
            assert_eq!(reply(is_v4, false, &packet, TOKEN), None, "a request is not a reply");
            packet[0] = reply_type;
            assert_eq!(reply(is_v4, false, &packet, TOKEN), Some(258));
            assert_eq!(reply(is_v4, false, &packet, [0; 16]), None, "somebody else's");
            let with_head = [&[0x45; 20], packet.as_slice()].concat();
            assert_eq!(reply(is_v4, true, &with_head, TOKEN), Some(258));
            for length in 0..packet.len() {
                assert_eq!(reply(is_v4, false, &packet[..length], TOKEN), None);
                assert_eq!(reply(is_v4, true, &with_head[..length], TOKEN), None);
            }
        }
    }
}
