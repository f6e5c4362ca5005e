use std::fmt;

/// Where a reader stands, as it stands in the `id:` of each event: in this run of the process, after a commit or within
/// one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Tells the numbers of this process from those of another.
    pub(super) run: String,
    /// The number of a commit, from 1; 0 is before the first.
    pub(super) commit: u64,
    /// The row of it that was the last; none where the reader has seen all of it.
    pub(super) row: Option<usize>,
}

impl Place {
    /// What was written so; none where it is anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (run, commit) = (parts.next()?.to_owned(), parts.next()?.parse().ok()?);
        let row = parts.next().map(str::parse).transpose().ok()?;
        if parts.next().is_some() {
            return None;
        }
        Some(Self { run, commit, row })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.run, self.commit)?;
        self.row.map_or(Ok(()), |row| write!(f, "-{row}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_comes_back_as_it_was() {
        for row in [None, Some(7)] {
            let place = Place { run: "18f3".to_owned(), commit: 5, row };
            assert_eq!(Place::parse(&place.to_string()), Some(place));
        }
    }

    #[test]
    fn what_is_no_place_is_none() {
        for text in
            ["", "-", "run", "run-", "run-x", "run-1-", "run-1-x", "run-1-2-3", "run--1", "a-99999999999999999999"]
        {
            assert_eq!(Place::parse(text), None, "{text}");
        }
    }
}
