//! Which names are queried for a host, one after the other: its own, and those of the search list.

use super::name::DnsName;
use super::resolv_conf::ResolvConf;

/// The names to try, and whether the first is the name itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidates {
    pub(super) names: Vec<DnsName>,
    pub(super) is_itself_first: bool,
    /// Whether the name itself is among them: first, or last.
    has_itself: bool,
}

impl Candidates {
    /// One of them, and whether it is the name itself.
    pub(super) fn get(&self, index: usize) -> (&DnsName, bool) {
        let itself = if self.is_itself_first { 0 } else { self.names.len() - 1 };
        (&self.names[index], index == itself && self.has_itself)
    }

    /// In the order of the C library (resolv.conf(5), `ndots`): with dots enough the name itself comes first, and
    /// else last.
    pub(super) fn of(name: DnsName, conf: &ResolvConf) -> Self {
        if name.is_absolute() {
            return Self { names: vec![name], is_itself_first: true, has_itself: true };
        }
        let is_itself_first = name.dots() >= conf.ndots;
        let is_left_to_domains = conf.no_tld_query && name.dots() == 0;
        let is_itself_last = !is_itself_first && !is_left_to_domains;
        let mut names: Vec<_> = is_itself_first.then(|| name.clone()).into_iter().collect();
        names.extend(conf.search.iter().flatten().filter_map(|domain| name.within(domain)));
        // If nothing else could be asked for, it is asked for itself.
        let is_added = is_itself_last || names.is_empty();
        names.extend(is_added.then_some(name));
        Self { names, is_itself_first, has_itself: is_itself_first || is_added }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::resolv_conf::parse_resolv_conf;

    #[track_caller]
    fn check(conf: &str, name: &str, expected: &[&str]) {
        let conf = parse_resolv_conf(conf.as_bytes());
        let candidates = Candidates::of(DnsName::from_host(name).unwrap(), &conf);
        let names: Vec<_> = candidates.names.iter().map(ToString::to_string).collect();
        assert_eq!(names, expected, "{name}");
    }

    #[test]
    fn dots_decide_which_is_first() {
        let conf = "search a.test b.test\n";
        check(conf, "app", &["app.a.test", "app.b.test", "app"]);
        check(conf, "app.x", &["app.x", "app.x.a.test", "app.x.b.test"]);
        check(conf, "app.", &["app"]);
        check("search a.test\noptions ndots:5", "www.example.com", &["www.example.com.a.test", "www.example.com"]);
        check("search a.test\noptions ndots:0", "app", &["app", "app.a.test"]);
        check("", "app", &["app"]);
    }

    #[test]
    fn a_name_without_a_dot_may_be_left_to_the_search_list() {
        check("search a.test\noptions no-tld-query", "app", &["app.a.test"]);
        check("options no-tld-query", "app", &["app"]);
    }
}
