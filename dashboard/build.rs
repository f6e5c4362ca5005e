//! Makes the page of `web/` with npm, compresses it, and leaves it in `OUT_DIR/page`, where the crate embeds it.
//!
//! npm works in a copy, beside what cargo builds, so that a build writes nothing into the source tree. It works once: tests,
//! lints and documentation run this script each for itself, and find what the first has made. Modules are fetched again only
//! where the lock file has changed. Where npm fails, so does the build: a netqoe that lacks its page without anybody having
//! asked for that is worse than none. Offline it succeeds where npm's cache has the packages. Where npm is absent, or Node.js
//! too old, it is not tried: cargo warns, and the program says why it has no page.

#[path = "build/node.rs"]
mod node;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;
use node::Engines;

/// Set to 1, it makes a netqoe without a page, and npm is not looked for.
const WITHOUT_PAGE: &str = "NETQOE_WITHOUT_PAGE";
/// Tells the crate why it has no page, and what to do; not set where it has one.
const NO_PAGE_SINCE: &str = "NETQOE_NO_PAGE_SINCE";
/// What lies in `web/` and the page is not made of: what npm and tests leave there, and the tests themselves.
const NOT_OF_THE_PAGE: [&str; 5] = ["node_modules", "dist", "test", "e2e", "test-results"];
/// What npm's modules follow from.
const LOCK_FILE: &str = "package-lock.json";
/// Brotli's best: it is done once, and costs a second or two.
const BROTLI_QUALITY: u32 = 11;
const BROTLI_WINDOW_BITS: u32 = 22;
const BROTLI_BUFFER_BYTES: usize = 64 << 10;
/// A page that another version of this script has made is made again.
const THIS_SCRIPT: &str = include_str!("build.rs");

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Outcome {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-env-changed={WITHOUT_PAGE}");
    let sources = Path::new("web");
    for part in parts(sources)? {
        println!("cargo::rerun-if-changed={}", part.display());
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    let embedded = out.join("page");
    remove(&embedded)?;
    fs::create_dir_all(&embedded)?;
    if env::var_os(WITHOUT_PAGE).is_some_and(|value| value == "1") {
        println!("cargo::rustc-env={NO_PAGE_SINCE}={WITHOUT_PAGE} was 1; unset it");
        return Ok(());
    }
    if let Some(why) = missing(sources)? {
        println!("cargo::rustc-env={NO_PAGE_SINCE}={why}");
        println!("cargo::warning=netqoe is built without its page, since {why}");
        return Ok(());
    }
    // OUT_DIR is PROFILE/build/PACKAGE-HASH/out within cargo's folder.
    let workshop = Workshop { folder: out.ancestors().nth(4).unwrap_or(&out).join("netqoe-page") };
    copy_all(&workshop.page(sources)?, &embedded)
}

/// Where npm works.
struct Workshop {
    folder: PathBuf,
}

impl Workshop {
    /// Makes the page of these sources, unless that has been done. Whoever comes meanwhile waits.
    fn page(&self, sources: &Path) -> Outcome<PathBuf> {
        let [copy, page, made_by] = ["web", "page", "made-by"].map(|name| self.folder.join(name));
        fs::create_dir_all(&copy)?;
        let lock = File::create(self.folder.join("lock"))?;
        lock.lock()?;
        let is_made = fs::read_to_string(&made_by).is_ok_and(|script| script == THIS_SCRIPT);
        if !(is_made && contents(sources)? == contents(&copy)?) {
            remove(&made_by)?;
            refresh(sources, &copy)?;
            self.fetch_modules(&copy)?;
            npm(&["run", "build"], &copy)?;
            remove(&page)?;
            embeddable(&copy.join("dist"), &page)?;
            fs::write(made_by, THIS_SCRIPT)?;
        }
        Ok(page)
    }

    fn fetch_modules(&self, copy: &Path) -> Outcome {
        let fetched_by = self.folder.join("fetched-by.json");
        let wanted = fs::read(copy.join(LOCK_FILE))?;
        if fs::read(&fetched_by).is_ok_and(|fetched| fetched == wanted) {
            return Ok(());
        }
        remove(&fetched_by)?;
        npm(&["ci"], copy)?;
        Ok(fs::write(fetched_by, wanted)?)
    }
}

/// What the page is made of: files and folders right within `sources`.
fn parts(sources: &Path) -> Outcome<Vec<PathBuf>> {
    let mut parts = Vec::new();
    for entry in fs::read_dir(sources)? {
        let entry = entry?;
        if !NOT_OF_THE_PAGE.iter().any(|name| entry.file_name() == *name) {
            parts.push(entry.path());
        }
    }
    Ok(parts)
}

/// What this machine lacks to make the page, and what to do.
fn missing(sources: &Path) -> Outcome<Option<String>> {
    let engines = Engines::of(&fs::read_to_string(sources.join("package.json"))?)?;
    let has_npm = || {
        let found = Command::new("npm").arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).status();
        found.is_ok_and(|status| status.success())
    };
    let no_npm = || (!has_npm()).then(|| "there is no npm; install it".to_owned());
    Ok(engines.refuse_this_machines().or_else(no_npm))
}

/// Makes the copy what the sources are now, and keeps its modules.
fn refresh(sources: &Path, copy: &Path) -> Outcome {
    for part in parts(copy)? {
        remove(&part)?;
    }
    remove(&copy.join("dist"))?;
    for part in parts(sources)? {
        copy_all(&part, &copy.join(part.file_name().ok_or("an entry has a name")?))?;
    }
    Ok(())
}

/// Every file of the parts of a folder, by its path within it.
fn contents(folder: &Path) -> Outcome<BTreeMap<PathBuf, Vec<u8>>> {
    let (mut contents, mut left) = (BTreeMap::new(), parts(folder)?);
    while let Some(path) = left.pop() {
        if path.is_dir() {
            for entry in fs::read_dir(&path)? {
                left.push(entry?.path());
            }
        } else {
            contents.insert(path.strip_prefix(folder)?.to_owned(), fs::read(&path)?);
        }
    }
    Ok(contents)
}

fn npm(arguments: &[&str], folder: &Path) -> Outcome {
    let command = format!("npm {}", arguments.join(" "));
    // What it says goes to standard error, which cargo shows where the build fails.
    let output = Command::new("npm").args(arguments).current_dir(folder).stdin(Stdio::null()).output()?;
    let said = |stream: &[u8]| eprintln!("{}", String::from_utf8_lossy(stream));
    said(&output.stdout);
    said(&output.stderr);
    succeeded(&command, output.status)
}

fn succeeded(command: &str, status: ExitStatus) -> Outcome {
    if status.success() {
        return Ok(());
    }
    Err(format!("`{command}` failed ({status}), see above; {WITHOUT_PAGE}=1 builds netqoe without its page").into())
}

/// Moves what npm has made to where it is embedded, with a compressed twin of each file that gets smaller by it.
fn embeddable(made: &Path, page: &Path) -> Outcome {
    copy_all(made, page)?;
    let mut folders = vec![page.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let plain = fs::read(&path)?;
            for (ending, compressed) in [("br", brotli(&plain)?), ("gz", gzip(&plain)?)] {
                if compressed.len() < plain.len() {
                    let mut twin = path.clone().into_os_string();
                    twin.push(format!(".{ending}"));
                    fs::write(twin, compressed)?;
                }
            }
        }
    }
    Ok(())
}

fn brotli(plain: &[u8]) -> Outcome<Vec<u8>> {
    let mut compressor =
        brotli::CompressorWriter::new(Vec::new(), BROTLI_BUFFER_BYTES, BROTLI_QUALITY, BROTLI_WINDOW_BITS);
    compressor.write_all(plain)?;
    Ok(compressor.into_inner())
}

fn gzip(plain: &[u8]) -> Outcome<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain)?;
    Ok(encoder.finish()?)
}

fn copy_all(from: &Path, to: &Path) -> Outcome {
    if !from.is_dir() {
        fs::copy(from, to)?;
        return Ok(());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy_all(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

fn remove(path: &Path) -> Outcome {
    match path.symlink_metadata() {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path)?,
        Ok(_) => fs::remove_file(path)?,
        Err(_) => {}
    }
    Ok(())
}
