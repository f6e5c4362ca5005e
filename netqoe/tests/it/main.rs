//! The tests of the whole program, in one binary: each further one would link all of netqoe again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "everything here is part of a test")]

mod backup;
mod bad_input;
mod chaos;
mod clock_ahead;
mod cluster;
mod cluster_support;
mod corrected;
mod crash;
mod crash_incidents;
mod dashboard;
mod demo;
mod doctor;
mod documented;
mod grafana;
mod guide;
mod http_reference;
mod import;
#[cfg(feature = "bench")]
mod insight;
mod jetstream;
mod labels;
mod late;
mod live;
mod locked;
mod measurements;
mod memory;
mod notify;
mod openapi;
mod operations;
mod output;
mod package;
#[cfg(feature = "bench")]
mod peers;
mod ping_group;
mod probe;
mod probe_command;
mod profiles;
mod prometheus;
mod provisional;
mod reload;
mod report;
mod rules;
mod rules_test;
mod secrets;
mod serve;
mod support;
mod systemd;
mod ticks;
mod tls;
mod tracing;
mod upgrade;
mod usage;
