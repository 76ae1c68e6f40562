//! How much of a customer's texts is searched. Longer ones are notes or mistakes, and must not fill
//! the index.

/// The most characters of one text that are searched.
pub const MAX_SEARCHED_CHARACTERS: usize = 1000;

/// The most e-mail addresses of a customer, and the most texts of one custom field, that are
/// searched.
pub const MAX_SEARCHED_VALUES: usize = 64;

/// The part of a text that is searched.
pub fn beginning(text: &str) -> &str {
    match text.char_indices().nth(MAX_SEARCHED_CHARACTERS) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}
