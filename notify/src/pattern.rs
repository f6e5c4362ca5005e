//! Patterns of names, in which `*` stands for any text.

/// Whether the pattern stands for the whole text.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    // There is a first part always, also of an empty pattern.
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(found) = rest.find(part) else { return false };
        rest = rest.get(found + part.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text) in [
            ("", ""),
            ("*", ""),
            ("*", "isp-a"),
            ("isp-a", "isp-a"),
            ("isp-*", "isp-a"),
            ("*.example.org*", "https://shop.example.org/a"),
            ("a*b*c", "aXbYbZc"),
            ("*ü*", "grün"),
            ("a**b", "ab"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("", "a"), ("isp", "isp-a"), ("isp-*", "xisp-a"), ("a*b", "abc"), ("ax*xa", "axa"), ("a*b*c", "ac")]
        {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
