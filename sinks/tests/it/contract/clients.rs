//! What is known of a client, merged from all that was ever said of it.

use crate::contract::bench::Bench;
use crate::contract::contents::{CLIENTS, Cell, Rows};
use crate::contract::make::{client, commit};

for_each_store!(
    first_and_last_times_widen_and_the_newest_context_stays,
    a_context_may_hold_what_no_text_of_a_store_can
);

fn rows(bench: &Bench) -> Rows {
    bench.contents().0[2].clone()
}

fn expected(client_id: &str, isp: &str, first_seen: i64, last_seen: i64) -> Vec<Cell> {
    let text = |text: &str| Cell::Text(text.to_owned());
    vec![
        text(client_id),
        text("wifi"),
        text(isp),
        text(&format!(r#"{{"isp":"{isp}"}}"#)),
        Cell::Integer(first_seen),
        Cell::Integer(last_seen),
    ]
}

fn first_and_last_times_widen_and_the_newest_context_stays(bench: &Bench) {
    let (mut store, generation) = bench.open();
    let mut after = |clients: Vec<Vec<_>>| {
        let of_partition = |(partition, clients)| {
            let mut partition = commit(partition, 1, vec![]);
            partition.clients = clients;
            partition
        };
        let partitions: Vec<_> = (0..).zip(clients).map(of_partition).collect();
        store.commit(generation, &partitions).unwrap();
        rows(bench)
    };
    assert_eq!(after(vec![vec![client("a", 50, 60, "A")]]), [expected("a", "A", 50, 60)]);
    // Older news widens the times and tells nothing of the present.
    assert_eq!(after(vec![vec![client("a", 10, 59, "B")]]), [expected("a", "A", 10, 60)]);
    // Of equally new ones the later stays.
    assert_eq!(after(vec![vec![client("a", 55, 60, "C")]]), [expected("a", "C", 10, 60)]);
    // Several in one commit, over partitions too.
    let several = vec![vec![client("a", 20, 80, "D"), client("a", 5, 70, "E")], vec![client("b", 1, 2, "F")]];
    assert_eq!(after(several), [expected("a", "D", 5, 80), expected("b", "F", 1, 2)]);
}

fn a_context_may_hold_what_no_text_of_a_store_can(bench: &Bench) {
    let mut partition = commit(0, 1, vec![]);
    partition.clients = vec![client("a", 1, 1, "x\0y"), client("b", 1, 1, r"x\u0000y")];
    let (mut store, generation) = bench.open();
    store.commit(generation, &[partition]).unwrap();
    assert_eq!(rows(bench), [expected("a", "x\u{FFFD}y", 1, 1), expected("b", r"x\u0000y", 1, 1)]);
    assert_eq!(bench.rows(&CLIENTS).len(), 2);
}
