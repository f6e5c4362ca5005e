//! Where files are: a package of Debian and what one unpacks into /usr/local differ in little.

/// Where files of one kind are put.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// The folder above `bin`, `lib` and `share`, with a slash at its end unless it is the top.
    pub(crate) prefix: &'static str,
    pub(crate) zsh: &'static str,
    pub(crate) configuration: &'static str,
}

/// Of a Debian package.
pub(crate) const DEBIAN: Layout =
    Layout { prefix: "usr/", zsh: "share/zsh/vendor-completions", configuration: "etc/netqoe/netqoe.toml" };

/// Of a tarball to be unpacked into /usr/local: man, systemd and the shells look there, too. The configuration is an example.
pub(crate) const LOCAL: Layout =
    Layout { prefix: "", zsh: "share/zsh/site-functions", configuration: "share/doc/netqoe/netqoe.toml" };
