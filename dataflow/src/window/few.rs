//! Lists that mostly hold one or two values, and of which there are millions.

/// Below this many values a list grows one by one: a [`Vec`] would begin with room for four.
const FEW: usize = 4;

/// Room for one value more, and while they are few for no more than that.
pub(super) fn make_room_for_one<T>(values: &mut Vec<T>) {
    if values.len() < FEW {
        values.reserve_exact(1);
    }
}
