//! Scenarios of diagnoses: files of windows, each with what it must come to, by hand from docs/diagnoses.md. The engine and the
//! reference are held against the same figures.

mod scenario;

/// A test for each file.
macro_rules! scenarios {
    ($($name:ident),+ $(,)?) => {
        const NAMES: &[&str] = &[$(stringify!($name)),+];
        $(#[test] fn $name() { scenario::check(stringify!($name)); })+
    };
}

scenarios!(
    classic_phases_one_after_the_other,
    classic_takes_a_fault_for_usual,
    steady_failures_by_stage,
    steady_first_byte_comes_late_twice,
    steady_name_is_slow_and_then_the_way_is_longer,
    steady_some_samples_are_slow,
    steady_transfer_gets_slower,
);

#[test]
fn every_file_is_checked() {
    assert_eq!(scenario::files(), NAMES);
}
