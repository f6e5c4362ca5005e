//! Figures in 16 bits: a floating point number of 10 bits of mantissa, so that a history of sixty windows is small.
//!
//! Codes are ordered as the figures are. Below 2,048 they are the figures; above, they are within 1 in 2,048.

/// Bits of the mantissa, without the leading one.
const MANTISSA_BITS: u32 = 10;
/// Figures below are their own codes.
const EXACT_BELOW: u64 = 2 << MANTISSA_BITS;

/// The code of a figure. Figures of accepted measurements are below 2⁵², and their codes far below 2¹⁶.
pub(super) fn encode(figure: u64) -> u16 {
    if figure < EXACT_BELOW {
        return figure as u16;
    }
    let dropped_bits = figure.ilog2() - MANTISSA_BITS;
    // Rounded half up. A mantissa that overflows is the next exponent's first.
    let kept = (figure + (1 << (dropped_bits - 1))) >> dropped_bits;
    ((u64::from(dropped_bits) << MANTISSA_BITS) + kept) as u16
}

/// The figure of a code.
pub(super) fn decode(code: u16) -> u64 {
    let code = u64::from(code);
    if code < EXACT_BELOW {
        return code;
    }
    let dropped_bits = (code >> MANTISSA_BITS) - 1;
    (code - (dropped_bits << MANTISSA_BITS)) << dropped_bits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn small_figures_are_exact() {
        for figure in 0..EXACT_BELOW {
            assert_eq!(decode(encode(figure)), figure);
        }
    }

    proptest! {
        #[test]
        fn a_figure_comes_back_within_a_two_thousandth(bits in 0..52_u32, noise in 0..=u64::MAX) {
            let figure = noise >> (63 - bits) >> 1;
            let back = decode(encode(figure));
            prop_assert!(back.abs_diff(figure) * 2048 <= figure, "{} for {}", back, figure);
        }

        #[test]
        fn codes_are_ordered_as_figures_are(a in 0..=1_u64 << 52, b in 0..=1_u64 << 52) {
            prop_assert!((a <= b) <= (encode(a) <= encode(b)));
        }
    }
}
