//! E-mail addresses in the form that look-ups compare: lower case.

use super::plain;

/// Longer texts are not e-mail addresses (RFC 5321 allows 254 characters), whatever they grow to by normalisation.
const MAX_EMAIL_CHARACTERS: usize = 320;

/// An e-mail address without the differences that do not count: surrounding space, case, width. None where there is
/// nothing, or too much to be one.
pub fn normal_email(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() || text.chars().nth(MAX_EMAIL_CHARACTERS).is_some() {
        return None;
    }
    Some(plain(text).chars().flat_map(char::to_lowercase).collect())
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn emails() {
        assert_eq!(normal_email(" Tsai@Example.COM ").as_deref(), Some("tsai@example.com"));
        assert_eq!(normal_email(" "), None);
        assert_eq!(normal_email(&"x".repeat(321)), None);
    }
}
