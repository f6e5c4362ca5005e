//! How deep JSON nests, told without parsing it.

/// Deepest nesting of an event, itself included. An event needs two levels; this is what most parsers take.
pub(crate) const MAX_NESTING: usize = 128;

/// Whether objects and arrays nest deeper than [`MAX_NESTING`] anywhere. Brackets within texts don't count. Of text
/// that is not JSON the answer means nothing.
pub(crate) fn too_deep(json: &[u8]) -> bool {
    let mut depth = 0_usize;
    let mut in_text = false;
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_text = !in_text,
            b'\\' if in_text => {
                bytes.next();
            }
            b'{' | b'[' if !in_text => {
                depth += 1;
                if depth > MAX_NESTING {
                    return true;
                }
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_open_brackets_outside_of_texts() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(!too_deep(nested(MAX_NESTING).as_bytes()));
        assert!(too_deep(nested(MAX_NESTING + 1).as_bytes()));
        assert!(!too_deep("[]".repeat(1000).as_bytes()), "one after another is not nested");
        assert!(!too_deep(format!(r#"["{}"]"#, "[".repeat(1000)).as_bytes()), "within a text");
        assert!(!too_deep(format!(r#"["\"{}"]"#, "[".repeat(1000)).as_bytes()), "after an escaped quote");
        assert!(too_deep(format!(r#"["\\",{}]"#, nested(1000)).as_bytes()), "after an escaped backslash");
    }
}
