//! Folding: the form of a text in which case, width, diacritics and apostrophes do not count.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Letters that Unicode does not decompose, but that people type without their stroke or ligature.
fn plain_letters(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ł' => "l",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ı' => "i",
        'ŧ' => "t",
        'ŋ' => "n",
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        'ς' => "σ",
        _ => return None,
    })
}

/// Marks that change how a letter is decorated, not which letter it is. The voicing marks of kana (が is not か) and the
/// vowel signs of Indic scripts are combining marks too, and do count.
fn is_diacritic(mark: char) -> bool {
    is_combining_mark(mark)
        && matches!(mark,
            '\u{0300}'..='\u{036F}' | '\u{0591}'..='\u{05C7}' | '\u{064B}'..='\u{065F}' | '\u{0670}'
            | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}')
}

fn is_ignored(character: char) -> bool {
    matches!(
        character,
        '\'' | '’' | '‘' | '`' | '´' | 'ʼ' | 'ʹ' | '′' | '\u{00AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}'
    )
}

/// The text in its folded form: NFKC, lower case, without diacritics and apostrophes.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    // Apostrophes before decomposition: ´ decomposes into a space and an accent.
    for character in text.chars().filter(|character| !is_ignored(*character)).nfkd() {
        if is_diacritic(character) || is_ignored(character) {
            continue;
        }
        for lower in character.to_lowercase().filter(|lower| !is_diacritic(*lower)) {
            match plain_letters(lower) {
                Some(plain) => folded.push_str(plain),
                None => folded.push(lower),
            }
        }
    }
    folded.nfc().collect()
}

/// The words of a folded text: runs of letters, marks and digits.
pub fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded
        .split(|character: char| !character.is_alphanumeric() && !is_combining_mark(character))
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn folds() {
        for (text, folded) in [
            ("Łukasz", "lukasz"),
            ("D'Angelo", "dangelo"),
            ("D’Angelo", "dangelo"),
            ("Straße", "strasse"),
            ("STRASSE", "strasse"),
            ("Jørgensen", "jorgensen"),
            ("Żółć", "zolc"),
            ("ＴＳＡＩ", "tsai"),
            ("ﾀﾅｶ", "タナカ"),
            ("が", "が"),
            ("蔡美玲", "蔡美玲"),
            ("Яковенко", "яковенко"),
            ("Її", "іі"),
            ("İstanbul", "istanbul"),
            ("Σίσυφος", "σισυφοσ"),
            ("ﬁn", "fin"),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
    }

    #[test]
    fn folding_twice_changes_nothing() {
        for character in (0..=0x10FFFF).filter_map(char::from_u32) {
            let once = fold(&character.to_string());
            assert_eq!(fold(&once), once, "U+{:04X}", character as u32);
        }
    }

    #[test]
    fn splits_words() {
        assert_eq!(words("rossi-bianchi, mario (jr.)").collect::<Vec<_>>(), ["rossi", "bianchi", "mario", "jr"]);
        assert_eq!(words("  --  ").count(), 0);
    }
}
