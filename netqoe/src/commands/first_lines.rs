//! What `up` says at its start, for somebody who has never seen it.

use std::path::Path;
use std::time::Duration;

use humantime::format_duration;
use netqoe_model::Rules;

use crate::options::UpOptions;

pub(super) struct FirstLines<'a> {
    data: &'a Path,
    /// Whether there was no data file.
    is_new: bool,
    is_demo: bool,
    targets: usize,
    /// Between two measurements of a target.
    interval: Duration,
    rules: &'a Rules,
    /// Its address.
    page: &'a str,
}

impl<'a> FirstLines<'a> {
    pub(super) fn of(options: &'a UpOptions, targets: usize, is_new: bool, rules: &'a Rules, page: &'a str) -> Self {
        let interval = options.probe.interval;
        Self { data: options.data(), is_new, is_demo: options.demo, targets, interval, rules, page }
    }

    pub(super) fn log(&self) {
        for line in self.lines() {
            tracing::info!("{line}");
        }
    }

    /// Where the data are, what comes, and where to look.
    fn lines(&self) -> [String; 3] {
        let Self { data, is_new, page, .. } = self;
        let state = if *is_new { "new" } else { "goes on" };
        [
            format!("data in {} ({state})", data.display()),
            self.what_comes(),
            format!("the page is {page}/; Ctrl-C ends"),
        ]
    }

    fn what_comes(&self) -> String {
        if self.is_demo {
            return "a demo: an hour of generated history with faults in it, then more of it, live".to_owned();
        }
        let interval = format_duration(self.interval);
        let measuring = match self.targets {
            0 => format!(
                "no target is measured: give --target URL or --targets-file FILE, or send events to {}/api/v1/events",
                self.page
            ),
            1 => format!("measuring 1 target, now and every {interval}"),
            targets => format!("measuring {targets} targets, now and every {interval}"),
        };
        format!("{measuring}; a pair is first judged after about {}", format_duration(self.first_judged_after()))
    }

    /// A pair needs so many windows before one is compared with them.
    fn first_judged_after(&self) -> Duration {
        let windows = i64::from(self.rules.diagnosis.usual.warm_up_windows) + 1;
        Duration::from_millis((windows * self.rules.window_ms).unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(is_new: bool, is_demo: bool, targets: usize, expected: [&str; 3]) {
        let rules = Rules::default();
        let lines = FirstLines {
            data: Path::new("netqoe-data"),
            is_new,
            is_demo,
            targets,
            interval: Duration::from_secs(30),
            rules: &rules,
            page: "http://127.0.0.1:8081",
        };
        assert_eq!(lines.lines(), expected);
    }

    #[test]
    fn what_comes_is_said() {
        let page = "the page is http://127.0.0.1:8081/; Ctrl-C ends";
        let measuring = "measuring 3 targets, now and every 30s; a pair is first judged after about 11m";
        check(true, false, 3, ["data in netqoe-data (new)", measuring, page]);
        let one = "measuring 1 target, now and every 30s; a pair is first judged after about 11m";
        check(false, false, 1, ["data in netqoe-data (goes on)", one, page]);
        let none = "no target is measured: give --target URL or --targets-file FILE, or send events to http://127.0.0.1:8081/api/v1/events; \
            a pair is first judged after about 11m";
        check(true, false, 0, ["data in netqoe-data (new)", none, page]);
        let demo = "a demo: an hour of generated history with faults in it, then more of it, live";
        check(true, true, 0, ["data in netqoe-data (new)", demo, page]);
    }
}
