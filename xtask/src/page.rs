//! The page's folder, and the tools that work in it.

#[path = "../../dashboard/build/node.rs"]
mod node;

use std::path::Path;
use std::process::Command;

use anyhow::{Context, anyhow, bail};

use node::Engines;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../dashboard/web");
/// The netqoe that the page's tests start.
const PROGRAM: &str = "NETQOE_PROGRAM";

/// Fails where this machine's Node.js can't build the page, as Debian 12's can't: nothing of it could be tested.
pub(crate) fn check_node() -> anyhow::Result<()> {
    let path = Path::new(FOLDER).join("package.json");
    let package = std::fs::read_to_string(&path).with_context(|| format!("can't read {}", path.display()))?;
    let engines = Engines::of(&package).map_err(|reason| anyhow!(reason))?;
    match engines.refuse_this_machines() {
        Some(why) => bail!("the page can't be built: {why}, so that it comes first on PATH"),
        None => Ok(()),
    }
}

/// npm in the page's folder, whose tests are to start this program.
pub(crate) fn npm(program: &Path) -> Command {
    let mut npm = Command::new("npm");
    npm.current_dir(FOLDER).env(PROGRAM, program);
    npm
}
