//! The packages whose libraries a program wants.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::Context;

use crate::command::said;

/// The library whose symbols tell how old it may be: its package has the same versions as they.
const C_LIBRARY: &str = "libc6";
const C_SYMBOLS: &str = "GLIBC_";

/// What stands in `Depends` for the libraries of a program.
pub(crate) fn depends(program: &Path) -> anyhow::Result<Vec<String>> {
    let listed = said(Command::new("ldd").arg("-v").arg(program))?;
    let mut packages = BTreeMap::new();
    for (library, symbols) in wanted(&listed) {
        packages.entry(package_of(library)?).or_insert_with(Vec::new).extend(symbols);
    }
    Ok(packages.iter().map(|(package, symbols)| dependency(package, symbols)).collect())
}

/// Each library that the program itself names, with the versions of symbols that it wants of it. `ldd` lists these first, below
/// the program's name, and then those of each library.
fn wanted(listed: &str) -> BTreeMap<&str, Vec<&str>> {
    let (_, versions) = listed.split_once("Version information:").unwrap_or_default();
    let own = versions.lines().skip_while(|line| line.trim().is_empty()).skip(1);
    let own = own.take_while(|line| line.contains("=>"));
    let mut wanted = BTreeMap::<_, Vec<_>>::new();
    for line in own {
        let Some((name, path)) = line.split_once("=>") else { continue };
        let symbols = name.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(symbols, _)| symbols);
        wanted.entry(path.trim()).or_default().extend(symbols);
    }
    wanted
}

fn dependency(package: &str, symbols: &[&str]) -> String {
    let versions = symbols.iter().filter_map(|symbols| symbols.strip_prefix(C_SYMBOLS));
    let newest = versions.max_by_key(|version| numbers(version));
    match newest.filter(|_| package == C_LIBRARY) {
        Some(version) => format!("{package} (>= {version})"),
        None => package.to_owned(),
    }
}

fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|number| number.parse().unwrap_or(0)).collect()
}

/// The package of Debian that has installed a library. Where /lib is a link to /usr/lib, it may know the library by either path.
fn package_of(library: &str) -> anyhow::Result<String> {
    let resolved = Path::new(library).canonicalize().with_context(|| format!("can't find {library}"))?;
    let resolved = resolved.to_string_lossy().into_owned();
    let short = resolved.strip_prefix("/usr").unwrap_or(&resolved);
    let candidates = [library, &resolved, short];
    let mut owners = candidates.iter().map(|path| said(Command::new("dpkg").arg("-S").arg(path)));
    let owner = owners.find_map(Result::ok).with_context(|| format!("no package has installed {library}"))?;
    let package = owner.split([':', ',']).next().unwrap_or_default();
    Ok(package.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_symbol_that_the_program_itself_wants_counts() {
        let listed = "\tlibc.so.6 => /lib/libc.so.6 (0x1)\n\n\tVersion information:\n\t./netqoe:\n\
            \t\tlibgcc_s.so.1 (GCC_3.3) => /lib/libgcc_s.so.1\n\t\tlibc.so.6 (GLIBC_2.9) => /lib/libc.so.6\n\
            \t\tlibc.so.6 (GLIBC_2.34) => /lib/libc.so.6\n\t/lib/libm.so.6:\n\t\tlibc.so.6 (GLIBC_2.36) => /lib/libc.so.6\n";
        let wanted = wanted(listed);
        assert_eq!(wanted["/lib/libc.so.6"], ["GLIBC_2.9", "GLIBC_2.34"]);
        assert_eq!(dependency("libc6", &wanted["/lib/libc.so.6"]), "libc6 (>= 2.34)");
        assert_eq!(dependency("libgcc-s1", &wanted["/lib/libgcc_s.so.1"]), "libgcc-s1");
    }
}
