//! The checks: what is measured of each kind of target, phase after phase.

pub(crate) mod dns;
pub(crate) mod icmp;
pub(crate) mod tcp;
pub(crate) mod web;
