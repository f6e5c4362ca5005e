//! Nobody who builds or tests an answer builds the page: npm is run by the build script of `dashboard/` alone.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn no_build_script_runs_and_the_page_is_no_dependency() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    assert!(!folder.join("build.rs").exists() && !manifest.contains("build = "), "netqoe-query has a build script");
    let lock = fs::read_to_string(folder.join("../Cargo.lock")).unwrap();
    let (mut reached, mut left) = (BTreeSet::new(), vec!["netqoe-query".to_owned()]);
    while let Some(name) = left.pop() {
        if reached.insert(name.clone()) {
            left.extend(crates_of_this_workspace(&lock, &name));
        }
    }
    assert!(reached.contains("netqoe-sinks"), "{reached:?}");
    assert!(!reached.contains("netqoe-dashboard"), "{reached:?}");
}

/// Those that this one depends on, its tests included.
fn crates_of_this_workspace(lock: &str, name: &str) -> Vec<String> {
    let package = lock.split("[[package]]").find(|package| package.contains(&format!("name = \"{name}\"\n"))).unwrap();
    let dependencies = package.split_once("dependencies = [").map_or("", |(_, dependencies)| dependencies);
    let names = dependencies.lines().filter_map(|line| line.trim().strip_prefix('"')?.split(['"', ' ']).next());
    names.filter(|name| name.starts_with("netqoe-")).map(str::to_owned).collect()
}
