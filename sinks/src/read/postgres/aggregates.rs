//! Pages of `agg_1m`.

use std::sync::Arc;

use netqoe_model::{Label, WindowRow};
use postgres::Row;

use super::execute::{known, network, tags};
use super::keys;
use crate::postgres::window::{Unreadable, WINDOW_COLUMNS, narrow, unix_ms, window};
use crate::read::keyed_table::KeyedTable;
use crate::read::statement::Statement;
use crate::read::{AggregateRecord, Names, Query, RowPosition};

pub(super) fn statement(query: &Query<RowPosition>) -> Statement {
    let columns = format!(
        "client_id, target, diagnosis_label, updated_at, pair_state, network_type, isp, site, client_labels, target_labels,
         revision, {WINDOW_COLUMNS}"
    );
    keys::page(KeyedTable::Aggregates, &columns, KeyedTable::with_label_of(&query.filter), query)
}

pub(super) fn record(row: &Row, names: &mut Names) -> Result<AggregateRecord, Unreadable> {
    let window = WindowRow { network: network(row, 5, names)?, tags: tags(row, 8, names)?, ..window(row, 11)? };
    Ok(AggregateRecord {
        client_id: row.try_get(0)?,
        target: row.try_get(1)?,
        diagnosis_label: row.try_get::<_, Option<&str>>(2)?.map(|text| known(text, Label::parse)).transpose()?,
        revision: narrow::<i32, u32>(row, 10)?,
        updated_at_ms: unix_ms(row.try_get(3)?),
        pair_state: row.try_get::<_, Option<&[u8]>>(4)?.map(Arc::from),
        window,
    })
}
