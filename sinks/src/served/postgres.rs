use std::num::NonZeroU16;

use postgres::Client;

use super::{Served, check_version};
use crate::StoreError;
use crate::postgres::link::Link;
use crate::postgres::{Failure, HISTORY_TABLE, PostgresOptions, admission, known_version};

pub(super) fn look(url: &str, options: &PostgresOptions) -> Result<Served, StoreError> {
    const DOING: &str = "be read";
    let mut link = Link::connect(url, options)?;
    let found = link.client().and_then(|client| admission::versions(client, HISTORY_TABLE));
    let found = found.map_err(|error| link.error(DOING, error.into()))?;
    check_version(link.name().to_owned(), found.last().copied(), known_version())?;
    let partitions = link.client().map_err(Failure::from).and_then(partitions);
    Ok(Served { partitions: partitions.map_err(|failure| link.error(DOING, failure))? })
}

fn partitions(client: &mut Client) -> Result<Option<NonZeroU16>, Failure> {
    let rows = client.query_typed("SELECT partitions FROM fence", &[])?;
    let partitions: Option<i32> = rows.first().map(|row| row.try_get(0)).transpose()?;
    Ok(partitions.and_then(|partitions| u16::try_from(partitions).ok()).and_then(NonZeroU16::new))
}
