//! The licences of all that others have written and that is in the program: the crates that it is linked with, the C sources in
//! these, and the modules of the page.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::Value;

/// How files begin that hold a licence, or a notice that goes with it.
const NAMES: [&str; 6] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];
/// Files of sources and settings may be called so, too.
const NOT_TEXTS: [&str; 8] = ["rs", "c", "h", "py", "toml", "json", "js", "ts"];
/// Folders in a crate in which licences are looked for: C sources come with theirs two folders down, and what they test with has its
/// own below that.
const DEPTH: usize = 3;
const LINE: &str = "--------------------------------------------------------------------------------";

/// The modules of the page.
pub struct Modules<'a> {
    /// What npm's lock file says.
    pub lock: &'a Value,
    /// The folder in which npm has put `node_modules`.
    pub folder: &'a Path,
}

/// What others have written.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    name: String,
    /// As it names its licence itself.
    licence: String,
    folder: PathBuf,
}

/// The text of all licences. `metadata` is what `cargo metadata` says.
///
/// # Errors
/// Where that is not what it was expected to be, or a licence can't be read.
pub fn licences(metadata: &Value, modules: Option<&Modules<'_>>) -> anyhow::Result<String> {
    let mut parts = crates(metadata).context("cargo metadata is not understood")?;
    if let Some(modules) = modules {
        parts.extend(of_the_page(modules).context("the lock file of the page is not understood")?);
    }
    let mut texts: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (number, part) in parts.iter().enumerate() {
        for file in licence_files(&part.folder, DEPTH)? {
            let text = String::from_utf8_lossy(&fs::read(file)?).replace("\r\n", "\n");
            let users = texts.entry(text.trim_matches('\n').to_owned()).or_default();
            if users.last() != Some(&number) {
                users.push(number);
            }
        }
    }
    Ok(written(&parts, texts))
}

fn written(parts: &[Part], texts: BTreeMap<String, Vec<usize>>) -> String {
    let mut all = "netqoe contains what others have written:\n\n".to_owned();
    for Part { name, licence, .. } in parts {
        let _ = writeln!(all, "  {name}: {licence}");
    }
    all.push_str("\nThe texts of these licences, each once, with the names of the parts that come with it:\n");
    let mut texts: Vec<_> = texts.into_iter().collect();
    texts.sort_by_key(|(_, users)| users.first().copied());
    for (text, users) in texts {
        let names: Vec<_> = users.iter().filter_map(|number| parts.get(*number)).map(|part| &*part.name).collect();
        let _ = write!(all, "\n{LINE}\n{}\n{LINE}\n\n{text}\n", names.join(", "));
    }
    all
}

/// The crates that netqoe is linked with, and those that write a part of it when it is compiled.
fn crates(metadata: &Value) -> Option<Vec<Part>> {
    let packages: BTreeMap<_, _> =
        list(&metadata["packages"])?.map(|package| (package["id"].as_str(), package)).collect();
    let nodes: BTreeMap<_, _> = list(&metadata["resolve"]["nodes"])?.map(|node| (node["id"].as_str(), node)).collect();
    let is_netqoe = |package: &&&Value| package["name"] == "netqoe" && package["source"].is_null();
    let root = packages.values().find(is_netqoe)?["id"].as_str();
    let (mut reached, mut left) = (BTreeSet::new(), vec![root]);
    while let Some(id) = left.pop() {
        if reached.insert(id) {
            let needed = list(&nodes.get(&id)?["deps"])?.filter(|dependency| is_linked(dependency));
            left.extend(needed.map(|dependency| dependency["pkg"].as_str()));
        }
    }
    let others = reached.iter().filter_map(|id| packages.get(id)).filter(|package| !package["source"].is_null());
    let mut parts: Vec<_> = others.map(|package| part(package)).collect::<Option<_>>()?;
    parts.sort();
    Some(parts)
}

/// Not only for building or for tests.
fn is_linked(dependency: &Value) -> bool {
    list(&dependency["dep_kinds"]).is_some_and(|mut kinds| kinds.any(|kind| kind["kind"].is_null()))
}

fn part(package: &Value) -> Option<Part> {
    let manifest = Path::new(package["manifest_path"].as_str()?);
    let licence = package["license"].as_str().unwrap_or("see its file");
    let name = format!("{} {}", package["name"].as_str()?, package["version"].as_str()?);
    Some(Part { name, licence: licence.to_owned(), folder: manifest.parent()?.to_owned() })
}

fn of_the_page(Modules { lock, folder }: &Modules<'_>) -> Option<Vec<Part>> {
    let packages = lock["packages"].as_object()?.iter();
    let in_the_page = packages.filter(|(path, package)| !path.is_empty() && package["dev"] != true);
    let part = |(path, package): (&String, &Value)| {
        let name = path.rsplit("node_modules/").next()?;
        let name = format!("{name} {} (of the page)", package["version"].as_str()?);
        let licence = package["license"].as_str().unwrap_or("see its file").to_owned();
        Some(Part { name, licence, folder: folder.join(path) })
    };
    in_the_page.map(part).collect()
}

fn list(value: &Value) -> Option<std::slice::Iter<'_, Value>> {
    value.as_array().map(|values| values.iter())
}

/// Files with licences in a folder and so many below, in the order of their paths.
fn licence_files(folder: &Path, depth: usize) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| format!("can't read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            if depth > 1 && path.file_name().is_none_or(|name| name != "node_modules") {
                files.extend(licence_files(&path, depth - 1)?);
            }
        } else if is_licence(&path) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn is_licence(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    NAMES.iter().any(|begins| name.starts_with(begins)) && !NOT_TEXTS.contains(&&*ending)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_linked_is_named_with_its_licence_and_each_text_stands_once() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("linked/LICENSE-MIT", "the same text\n");
        write("linked/license.rs", "no licence");
        write("below/LICENSE", "the same text\n");
        write("below/c/library/COPYING", "of the C sources");
        write("tools/LICENSE", "of a tool");
        write("node_modules/shown/LICENSE", "of a module");
        let package = |name: &str, source: Value| {
            json!({"id": name, "name": name, "version": "1.0.0", "license": "MIT", "source": source,
                "manifest_path": folder.path().join(name).join("Cargo.toml")})
        };
        let needs = |name: &str, kind: Value| json!({"pkg": name, "dep_kinds": [{"kind": kind}]});
        let metadata = json!({
            "packages": [package("netqoe", Value::Null), package("linked", json!("registry")), package("below", json!("registry")),
                package("tools", json!("registry"))],
            "resolve": {"nodes": [
                {"id": "netqoe", "deps": [needs("linked", Value::Null), needs("tools", json!("build"))]},
                {"id": "linked", "deps": [needs("below", Value::Null), needs("tools", json!("dev"))]},
                {"id": "below", "deps": []}, {"id": "tools", "deps": []}]}
        });
        let lock = json!({"packages": {"": {}, "node_modules/shown": {"version": "2.0.0", "license": "ISC"},
            "node_modules/bundler": {"version": "3.0.0", "dev": true}}});
        let text = licences(&metadata, Some(&Modules { lock: &lock, folder: folder.path() })).unwrap();
        assert!(text.contains("  below 1.0.0: MIT\n  linked 1.0.0: MIT\n  shown 2.0.0 (of the page): ISC\n"), "{text}");
        assert_eq!(text.matches("the same text").count(), 1);
        assert!(text.contains("below 1.0.0, linked 1.0.0\n"), "{text}");
        assert!(text.contains("of the C sources") && text.contains("of a module"), "{text}");
        assert!(!text.contains("of a tool") && !text.contains("no licence") && !text.contains("bundler"), "{text}");
    }
}
