//! Tests of random inputs try more of them in a soak.

use proptest::test_runner::Config;

/// `cargo xtask soak` sets it.
const SOAK_VARIABLE: &str = "NETQOE_TEST_SOAK";
/// How many times as many cases a soak tries.
const SOAK_TIMES: u32 = 12;

/// As many cases as the gate has time for, or many times as many.
pub(crate) fn cases(of_the_gate: u32) -> Config {
    let times = if std::env::var_os(SOAK_VARIABLE).is_some() { SOAK_TIMES } else { 1 };
    Config::with_cases(of_the_gate * times)
}
