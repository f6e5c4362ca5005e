//! Which incidents a maintenance window keeps from being told.

use netqoe_model::{Cause, Dimension};

/// Whether all that suffers from `cause` is what the window names: the same cause, a part of it where two dimensions are joined,
/// or everything.
pub(crate) fn holds(window: &Cause, cause: &Cause) -> bool {
    if window.dimension == Dimension::Everything || window == cause {
        return true;
    }
    let parts: &[Dimension] = match cause.dimension {
        Dimension::IspTarget => &[Dimension::Isp, Dimension::Target],
        Dimension::SiteNetworkType => &[Dimension::Site, Dimension::NetworkType],
        _ => &[],
    };
    let mut values = parts.iter().zip(&cause.value);
    values.any(|(dimension, value)| *dimension == window.dimension && window.value.as_slice() == [value.clone()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(dimension: Dimension, value: &[&str]) -> Cause {
        Cause { dimension, value: value.iter().map(|part| (*part).into()).collect() }
    }

    #[test]
    fn a_window_holds_its_cause_and_what_is_a_part_of_it() {
        use Dimension::{Everything, Isp, IspTarget, Site, SiteNetworkType, Target};
        let both = cause(IspTarget, &["a", "x"]);
        for (window, incident, expected) in [
            (cause(Isp, &["a"]), cause(Isp, &["a"]), true),
            (cause(Isp, &["a"]), cause(Isp, &["b"]), false),
            (cause(Target, &["a"]), cause(Isp, &["a"]), false),
            (cause(Isp, &["a"]), both.clone(), true),
            (cause(Target, &["x"]), both.clone(), true),
            (cause(Target, &["a"]), both.clone(), false),
            (both.clone(), cause(Isp, &["a"]), false),
            (cause(Site, &["s"]), cause(SiteNetworkType, &["s", "wifi"]), true),
            (cause(Everything, &[]), both, true),
            (cause(Isp, &["a"]), cause(Everything, &[]), false),
        ] {
            assert_eq!(holds(&window, &incident), expected, "{window:?} {incident:?}");
        }
    }
}
