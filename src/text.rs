//! Texts as people see them.

use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

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

/// Whether a text shows nothing: it has spaces and invisible characters only.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|character| character.is_whitespace() || character == BRAILLE_BLANK || is_invisible(character))
}

/// A symbol without dots.
const BRAILLE_BLANK: char = '\u{2800}';

/// The form of a text in which it is the same as another that looks the same: composed (NFC), without invisible characters,
/// and all spaces alike.
pub fn as_seen(text: &str) -> String {
    let spaced = |character: char| if character.is_whitespace() { ' ' } else { character };
    let seen: String = without_invisible(text).nfc().map(spaced).collect();
    seen.trim().to_owned()
}

/// The zeros of the scripts that have decimal digits of their own; the other nine follow. General category Nd of Unicode 16.
const ZEROS: [char; 75] = [
    '\u{660}',
    '\u{6F0}',
    '\u{7C0}',
    '\u{966}',
    '\u{9E6}',
    '\u{A66}',
    '\u{AE6}',
    '\u{B66}',
    '\u{BE6}',
    '\u{C66}',
    '\u{CE6}',
    '\u{D66}',
    '\u{DE6}',
    '\u{E50}',
    '\u{ED0}',
    '\u{F20}',
    '\u{1040}',
    '\u{1090}',
    '\u{17E0}',
    '\u{1810}',
    '\u{1946}',
    '\u{19D0}',
    '\u{1A80}',
    '\u{1A90}',
    '\u{1B50}',
    '\u{1BB0}',
    '\u{1C40}',
    '\u{1C50}',
    '\u{A620}',
    '\u{A8D0}',
    '\u{A900}',
    '\u{A9D0}',
    '\u{A9F0}',
    '\u{AA50}',
    '\u{ABF0}',
    '\u{FF10}',
    '\u{104A0}',
    '\u{10D30}',
    '\u{10D40}',
    '\u{11066}',
    '\u{110F0}',
    '\u{11136}',
    '\u{111D0}',
    '\u{112F0}',
    '\u{11450}',
    '\u{114D0}',
    '\u{11650}',
    '\u{116C0}',
    '\u{116D0}',
    '\u{116DA}',
    '\u{11730}',
    '\u{118E0}',
    '\u{11950}',
    '\u{11BF0}',
    '\u{11C50}',
    '\u{11D50}',
    '\u{11DA0}',
    '\u{11F50}',
    '\u{16130}',
    '\u{16A60}',
    '\u{16AC0}',
    '\u{16B50}',
    '\u{16D70}',
    '\u{1CCF0}',
    '\u{1D7CE}',
    '\u{1D7D8}',
    '\u{1D7E2}',
    '\u{1D7EC}',
    '\u{1D7F6}',
    '\u{1E140}',
    '\u{1E2F0}',
    '\u{1E4F0}',
    '\u{1E5F1}',
    '\u{1E950}',
    '\u{1FBF0}',
];

/// The digit 0 to 9 that a decimal digit of any script stands for: ٣, ३ and ３ are all `3`.
pub fn ascii_digit(character: char) -> Option<char> {
    if character.is_ascii() {
        return Some(character).filter(char::is_ascii_digit);
    }
    let next = ZEROS.partition_point(|zero| *zero <= character);
    let zero = ZEROS.get(next.checked_sub(1)?)?;
    char::from_digit(character as u32 - *zero as u32, 10)
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

    #[test]
    fn blank_texts() {
        for blank in [
            "",
            " ",
            "\u{A0}\t\u{3000}",
            "\u{200B}",
            "\u{3164}",
            "\u{FE0F}\u{200D} \u{2800}",
            "\u{AD}",
            "\u{2066}\u{2069}",
        ] {
            assert!(is_blank(blank), "{blank:?}");
        }
        for shown in ["a", ".", "\u{200B}a", "葛\u{E0100}", "\u{301}", "❤\u{FE0F}"] {
            assert!(!is_blank(shown), "{shown:?}");
        }
    }

    #[test]
    fn texts_that_look_the_same() {
        for (text, seen) in [
            ("Con\u{200B}tract", "Contract"),
            ("Contract\u{FE0F} ", "Contract"),
            ("\u{200E}Contract\u{A0}No", "Contract No"),
            ("Cafe\u{301}", "Café"),
            ("می\u{200C}خواهم", "میخواهم"),
            ("contract", "contract"),
        ] {
            assert_eq!(as_seen(text), seen, "{text:?}");
        }
        assert_ne!(as_seen("Contract"), as_seen("contract"));
        assert_ne!(as_seen("Cafe"), as_seen("Café"));
    }

    #[test]
    fn digits_of_every_script() {
        let number = |text: &str| text.chars().filter_map(ascii_digit).collect::<String>();
        for text in
            ["0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "๐๑๒๓๔๕๖๗๘๙", "０１２３４５６７８９", "𝟘𝟙𝟚𝟛𝟜𝟝𝟞𝟟𝟠𝟡"]
        {
            assert_eq!(number(text), "0123456789");
        }
        assert_eq!(number("a/:²½五ⅧＡ"), "");
        let decimal = regex::Regex::new(r"\d").expect("an expression");
        for character in (0..=0x10FFFF).filter_map(char::from_u32) {
            assert_eq!(
                ascii_digit(character).is_some(),
                decimal.is_match(character.encode_utf8(&mut [0; 4])),
                "{character:?}"
            );
        }
    }
}
