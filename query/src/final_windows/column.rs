//! One figure of many windows.

use std::ops::Range;

/// Whole numbers, in as little room as they need. Milliseconds and Mbit/s are kept as the model has them, in whole
/// thousandths, which fit four bytes for all but absurd measurements.
#[derive(Debug)]
pub(super) enum Column {
    /// No window has one.
    Empty,
    Narrow(Box<[u32]>),
    Wide(Box<[u64]>),
}

/// Stands where a window has no value.
const NO_NARROW: u32 = u32::MAX;
const NO_WIDE: u64 = u64::MAX;

impl Column {
    pub(super) fn of(values: &[Option<u64>]) -> Self {
        match values.iter().flatten().max() {
            None => Self::Empty,
            Some(&greatest) if greatest < u64::from(NO_NARROW) => {
                // Each is as narrow as the greatest of them.
                let narrow = |value: &Option<u64>| value.map_or(NO_NARROW, |value| value as u32);
                Self::Narrow(values.iter().map(narrow).collect())
            }
            Some(_) => Self::Wide(values.iter().map(|value| value.unwrap_or(NO_WIDE)).collect()),
        }
    }

    pub(super) fn get(&self, row: usize) -> Option<u64> {
        match self {
            Self::Empty => None,
            Self::Narrow(values) => Some(values[row]).filter(|value| *value != NO_NARROW).map(u64::from),
            Self::Wide(values) => Some(values[row]).filter(|value| *value != NO_WIDE),
        }
    }

    /// How many values of these rows are so.
    pub(super) fn count(&self, rows: Range<usize>, is_so: impl Fn(u64) -> bool) -> u64 {
        let count = match self {
            Self::Empty => 0,
            Self::Narrow(values) => {
                values[rows].iter().filter(|value| **value != NO_NARROW && is_so(u64::from(**value))).count()
            }
            Self::Wide(values) => values[rows].iter().filter(|value| **value != NO_WIDE && is_so(**value)).count(),
        };
        count as u64
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Empty => 0,
            Self::Narrow(values) => size_of_val(&**values),
            Self::Wide(values) => size_of_val(&**values),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn values_come_back_as_they_were(
            values in prop::collection::vec(prop::option::of(prop_oneof![0..9_u64, 4_294_967_290..4_294_967_300_u64]), 0..9)
        ) {
            let column = Column::of(&values);
            let back: Vec<_> = (0..values.len()).map(|row| if values.is_empty() { None } else { column.get(row) }).collect();
            prop_assert_eq!(&back, &values);
            let odd = values.iter().flatten().filter(|value| *value % 2 == 1).count();
            prop_assert_eq!(column.count(0..values.len(), |value| value % 2 == 1), odd as u64);
        }
    }

    #[test]
    fn takes_no_more_room_than_it_needs() {
        assert_eq!(Column::of(&[None, None]).bytes(), 0);
        assert_eq!(Column::of(&[Some(4_294_967_294), None]).bytes(), 8);
        assert_eq!(Column::of(&[Some(4_294_967_295), None]).bytes(), 16);
    }
}
