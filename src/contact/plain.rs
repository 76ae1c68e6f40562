//! What is ignored in every phone number and e-mail address: width, and invisible characters.

use crate::text::without_invisible;
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

/// The text in one width and without invisible characters. ASCII text, as most numbers are, is
/// returned as it is.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(without_invisible(text).nfkc().collect()) }
}
