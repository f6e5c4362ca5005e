//! Lists that are read whole: page after page, so that none of them takes long.

use std::iter;

use netqoe_sinks::read::{Page, Query, ReadError};

/// The items of each page, from the one that is asked for to the last, or to the first error.
pub(crate) fn pages<P, T>(
    mut query: Query<P>,
    read: impl Fn(&Query<P>) -> Result<Page<T>, ReadError>,
    position: impl Fn(&T) -> P,
) -> impl Iterator<Item = Result<Vec<T>, ReadError>> {
    let mut has_more = true;
    iter::from_fn(move || {
        has_more.then(|| {
            let page = read(&query);
            has_more = page.as_ref().is_ok_and(|page| page.has_more);
            let items = page?.items;
            query.after = items.last().map(&position);
            Ok(items)
        })
    })
}
