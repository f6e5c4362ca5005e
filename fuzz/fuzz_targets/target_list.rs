//! Lists of targets in all their forms, and single ones.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use netqoe_probe::{Target, parse_target_list};

fuzz_target!(|bytes: &[u8]| {
    for name in ["list.txt", "list.json", "list.yml", "list.toml"] {
        let _ = parse_target_list(Path::new(name), bytes);
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(target) = text.parse::<Target>()
    {
        // Its spelling is the normal one.
        assert_eq!(target.as_str().parse(), Ok(target));
    }
});
