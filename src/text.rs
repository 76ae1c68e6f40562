//! Texts as people see them.

use std::borrow::Cow;

/// Whether a character shows nothing and takes no room: what Unicode calls Default_Ignorable_Code_Point, of version 16
/// (DerivedCoreProperties.txt). Texts copied from messengers, web pages and PDFs carry them.
pub fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}')
}

/// The text without invisible characters: itself where it has none.
pub fn without_invisible(text: &str) -> Cow<'_, str> {
    if text.contains(is_invisible) {
        Cow::Owned(text.chars().filter(|character| !is_invisible(*character)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn invisible_characters_are_left_out() {
        for (text, seen) in [
            ("\u{202A}+48 601\u{200B} 234\u{2060}567\u{202C}", "+48 601 234567"),
            ("\u{FEFF}Tsai\u{00AD}", "Tsai"),
            ("\u{3164}", ""),
            ("葛\u{E0100}", "葛"),
            ("蔡 美玲", "蔡 美玲"),
        ] {
            assert_eq!(without_invisible(text), seen, "{text:?}");
        }
    }
}
