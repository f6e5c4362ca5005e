//! What every store promises, run against each of them: SQLite, a real PostgreSQL, and the same behind a real PgBouncer
//! in transaction mode.

/// Makes tests of functions that take a [`bench::Bench`]: one for each kind of store.
macro_rules! for_each_store {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[test] fn $name() { super::$name(&crate::contract::bench::Bench::sqlite()); })*
        }
        mod postgres {
            $(#[test] fn $name() { super::$name(&crate::contract::bench::Bench::postgres()); })*
        }
        mod pgbouncer {
            $(#[test] fn $name() { super::$name(&crate::contract::bench::Bench::pgbouncer()); })*
        }
    };
}

mod attempts;
mod bench;
mod clients;
mod contents;
mod corrected;
mod corrections;
mod dead_letters;
mod fleet;
mod generations;
mod history;
mod incidents;
mod maintenance;
mod make;
mod model;
mod months;
mod outbox;
mod progress;
mod random;
mod reading;
mod refold;
mod rows;
mod runs;
mod schema;
mod score;
mod summaries;
