//! Lines that can't be counted are kept as they came, once.

use crate::contract::bench::Bench;
use crate::contract::contents::{Cell, DEAD_LETTERS};
use crate::contract::make::{commit, dead_letter};

for_each_store!(letters_are_kept_byte_by_byte, a_letter_that_is_there_stays_as_it_is, large_letters_are_kept_together);

fn expected(position: i64, line: i64, reason: &str, original: &[u8]) -> Vec<Cell> {
    vec![
        Cell::Integer(3),
        Cell::Integer(position),
        Cell::Integer(line),
        Cell::Integer(77),
        Cell::Text(reason.to_owned()),
        Cell::Bytes(original.to_vec()),
    ]
}

fn letters_are_kept_byte_by_byte(bench: &Bench) {
    let mut partition = commit(3, 9, vec![]);
    partition.dead_letters = vec![dead_letter(3, 8, 0, "U+0000 in \"a\0b\" at column 5"), dead_letter(3, 8, 1, "")];
    partition.dead_letters[1].original.clear();
    let (mut store, generation) = bench.open();
    store.commit(generation, &[partition]).unwrap();
    let expected =
        [expected(8, 0, "U+0000 in \"a\u{FFFD}b\" at column 5", b"{\"a\0b\": \xFF"), expected(8, 1, "", b"")];
    assert_eq!(bench.contents().0[4], expected);
}

/// A crash between append and commit has the same lines read again, perhaps by a version that words reasons otherwise.
fn a_letter_that_is_there_stays_as_it_is(bench: &Bench) {
    let (mut store, generation) = bench.open();
    for reason in ["first", "second"] {
        let mut partition = commit(3, 9, vec![]);
        partition.dead_letters = vec![dead_letter(3, 8, 0, reason), dead_letter(3, 8, 0, "in the same commit")];
        store.commit(generation, &[partition]).unwrap();
    }
    assert_eq!(bench.contents().0[4], [expected(8, 0, "first", b"{\"a\0b\": \xFF")]);
}

fn large_letters_are_kept_together(bench: &Bench) {
    let mut partition = commit(3, 9, vec![]);
    for line in 0..5 {
        let mut letter = dead_letter(3, 8, line, "too long");
        letter.original = vec![b'x'; 3 << 20];
        partition.dead_letters.push(letter);
    }
    let (mut store, generation) = bench.open();
    store.commit(generation, &[partition]).unwrap();
    assert_eq!(bench.rows(&DEAD_LETTERS).len(), 5);
}
