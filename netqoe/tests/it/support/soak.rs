//! The two forms of a test: the short one of the gate, always the same, and the long one of `cargo xtask soak`.

/// Set by `cargo xtask soak`.
const SOAK_VARIABLE: &str = "NETQOE_TEST_SOAK";

fn is_soak() -> bool {
    std::env::var_os(SOAK_VARIABLE).is_some()
}

/// How long, or how often: in the gate, and in a soak.
pub(crate) fn gate_or_soak<T>(gate: T, soak: T) -> T {
    if is_soak() { soak } else { gate }
}

/// The seed of a test, which it prints: the one that this variable names; or else a random one in a soak, and always
/// the same one in the gate.
pub(crate) fn seed(variable: &str, in_the_gate: u64) -> u64 {
    let asked = std::env::var(variable).ok().map(|text| text.parse().unwrap());
    let seed = asked.unwrap_or_else(|| if is_soak() { rand::random() } else { in_the_gate });
    println!("{variable}={seed}");
    seed
}
