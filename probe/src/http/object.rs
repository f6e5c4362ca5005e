//! An object of a known size that is asked for, in place of a page.

use super::Head;

/// Why an answer is not the object, if it is not. Its body is not read then.
pub(super) fn refuse(head: &Head, must_be: Option<u64>, announced: Option<u64>) -> Option<String> {
    let begins_with = |name: &str, start: &str| {
        head.text(name).filter(|text| text.trim_start().to_ascii_lowercase().starts_with(start))
    };
    if head.status != 200 {
        return Some(format!("the server answered with status {}", head.status));
    }
    if let Some(kind) = begins_with("content-type", "text/html") {
        return Some(format!("it is a page ({kind}) and not an object"));
    }
    let coding = head.text("content-encoding").filter(|coding| !coding.is_empty() && coding != "identity");
    if let Some(coding) = coding {
        return Some(format!("it comes compressed ({coding})"));
    }
    match (must_be, announced) {
        (Some(bytes), Some(announced)) if announced != bytes => {
            Some(format!("it has {announced} bytes, and the fixed object has {bytes}"))
        }
        _ => None,
    }
}
