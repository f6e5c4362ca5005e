//! The arguments that cargo gives to rustc, and what follows from them.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// The arguments that decide what rustdoc sees. Lints are not among them: rustdoc knows none of clippy's.
const KEPT_FOR_RUSTDOC: [&str; 9] =
    ["--crate-name", "--crate-type", "--edition", "--cfg", "--check-cfg", "--extern", "--error-format", "--json", "-L"];
/// The arguments whose value is the next one. Others have it behind a `=`, or have none.
const FOLLOWED_BY_VALUE: [&str; 10] = [
    "--crate-name",
    "--crate-type",
    "--cfg",
    "--check-cfg",
    "--extern",
    "--out-dir",
    "--cap-lints",
    "--target",
    "-C",
    "-L",
];
/// What names of the workspace's libraries begin with.
const OF_WORKSPACE: &str = "netqoe_";

/// What cargo gives to rustc.
#[derive(Clone, Copy)]
pub(super) struct Arguments<'a>(pub(super) &'a [OsString]);

impl<'a> Arguments<'a> {
    pub(super) fn is_library(self) -> bool {
        self.value("--crate-type") == Some("lib")
    }

    /// Whether a harness is compiled that runs tests, or a bench.
    pub(super) fn is_test(self) -> bool {
        self.0.iter().any(|argument| argument == "--test")
    }

    /// The library or program that cargo expects.
    pub(super) fn output(self) -> Option<PathBuf> {
        let name = self.value("--crate-name")?;
        let suffix = self.0.iter().find_map(|argument| argument.to_str()?.strip_prefix("extra-filename="))?;
        let file = if self.is_library() { format!("lib{name}{suffix}.rlib") } else { format!("{name}{suffix}") };
        Some(Path::new(self.value("--out-dir")?).join(file))
    }

    /// The same, without generating code. Libraries of the workspace were not compiled either.
    pub(super) fn for_check(self) -> Vec<OsString> {
        let changed = |argument: &OsString| {
            let text = argument.to_str()?;
            if text.starts_with("--emit=") {
                return Some("--emit=dep-info,metadata".into());
            }
            let library = text.strip_suffix(".rlib").filter(|library| library.starts_with(OF_WORKSPACE))?;
            Some(format!("{library}.rmeta").into())
        };
        self.0.iter().map(|argument| changed(argument).unwrap_or_else(|| argument.clone())).collect()
    }

    /// Without what rustdoc does not know, or is not to do.
    pub(super) fn for_rustdoc(self) -> Vec<&'a OsStr> {
        let mut kept = Vec::new();
        let mut rest = self.0.iter().map(OsString::as_os_str);
        while let Some(argument) = rest.next() {
            let text = argument.to_string_lossy();
            let name = text.split_once('=').map_or(&*text, |(name, _)| name);
            let value = if FOLLOWED_BY_VALUE.contains(&&*text) { rest.next() } else { None };
            let is_source = !text.starts_with('-');
            if is_source || KEPT_FOR_RUSTDOC.contains(&name) {
                kept.push(argument);
                kept.extend(value);
            }
        }
        kept
    }

    /// Of the argument with this name, which it follows.
    fn value(self, name: &str) -> Option<&'a str> {
        self.0.windows(2).find(|pair| pair[0] == name).and_then(|pair| pair[1].to_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIBRARY: &str = "--crate-name netqoe_server --edition=2024 server/src/lib.rs --error-format=json --json=artifacts \
        --crate-type lib --emit=dep-info,metadata,link -C embed-bitcode=no --warn=clippy::todo --forbid=unsafe_code \
        --cfg feature=\"http3\" --check-cfg cfg(docsrs,test) -C metadata=1 -C extra-filename=-2 --out-dir target/debug/deps \
        -L dependency=target/debug/deps --extern serde=target/debug/deps/libserde.rmeta";
    const PROGRAM: &str = "--crate-name netqoe --crate-type bin --emit=dep-info,link -C extra-filename=-3 --out-dir target \
        --extern netqoe_server=target/libnetqoe_server-2.rlib --extern serde=target/libserde-1.rlib";
    const TEST: &str = "--crate-name it probe/tests/it/main.rs --emit=dep-info,link --test";

    fn words(text: &str) -> Vec<OsString> {
        text.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn rustdoc_sees_what_rustc_sees_and_none_of_its_lints() {
        let expected = words(
            "--crate-name netqoe_server --edition=2024 server/src/lib.rs --error-format=json --json=artifacts --crate-type lib \
             --cfg feature=\"http3\" --check-cfg cfg(docsrs,test) -L dependency=target/debug/deps \
             --extern serde=target/debug/deps/libserde.rmeta",
        );
        assert_eq!(Arguments(&words(LIBRARY)).for_rustdoc(), expected);
    }

    #[test]
    fn a_check_writes_no_code_and_reads_none_of_the_workspace() {
        let expected = words(
            "--crate-name netqoe --crate-type bin --emit=dep-info,metadata -C extra-filename=-3 --out-dir target \
             --extern netqoe_server=target/libnetqoe_server-2.rmeta --extern serde=target/libserde-1.rlib",
        );
        assert_eq!(Arguments(&words(PROGRAM)).for_check(), expected);
    }

    #[test]
    fn what_is_written_is_known_beforehand() {
        for (arguments, is_library, is_test, output) in [
            (LIBRARY, true, false, Some("target/debug/deps/libnetqoe_server-2.rlib")),
            (PROGRAM, false, false, Some("target/netqoe-3")),
            (TEST, false, true, None),
        ] {
            let arguments = words(arguments);
            let arguments = Arguments(&arguments);
            assert_eq!((arguments.is_library(), arguments.is_test()), (is_library, is_test));
            assert_eq!(arguments.output().as_deref(), output.map(Path::new));
        }
    }
}
