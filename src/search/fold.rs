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

/// Letters of scripts that spell words sound by sound; a character of Han script is a word of its own.
pub fn is_spelled(letter: char) -> bool {
    letter.is_alphabetic()
        && !matches!(letter, '\u{2E80}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Characters that say as much as a word or a syllable of other scripts, so that one or two of them are looked for in
/// any place: Han, kana, Hangul.
pub fn one_word_per_character(letter: char) -> bool {
    matches!(letter, '\u{2E80}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7AF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Characters below these fold each for itself, whatever stands beside them: none of them combines with another.
const LATIN_END: usize = 0x300;
const CYRILLIC: std::ops::Range<usize> = 0x400..0x483;

thread_local! {
    /// What each of those characters folds to.
    static FOLDED: (Vec<String>, Vec<String>) = (
        (0..LATIN_END).map(fold_alone).collect(),
        CYRILLIC.map(fold_alone).collect(),
    );
}

fn fold_alone(character: usize) -> String {
    u32::try_from(character)
        .ok()
        .and_then(char::from_u32)
        .map(|character| fold_any(character.encode_utf8(&mut [0; 4])))
        .unwrap_or_default()
}

/// Han and kana without marks, which fold to themselves.
fn folds_to_itself(character: char) -> bool {
    matches!(character, '\u{4E00}'..='\u{9FFF}' | '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FC}')
}

/// The text in its folded form: NFKC, lower case, without diacritics and apostrophes.
pub fn fold(text: &str) -> String {
    // Most names, at a tenth of the price.
    FOLDED.with(|(latin, cyrillic)| {
        let mut folded = String::with_capacity(text.len());
        for character in text.chars() {
            let code = character as usize;
            if character.is_ascii() && !matches!(character, '\'' | '`') {
                folded.push(character.to_ascii_lowercase());
            } else if let Some(plain) = latin.get(code).or_else(|| cyrillic.get(code.checked_sub(CYRILLIC.start)?)) {
                folded.push_str(plain);
            } else if folds_to_itself(character) {
                folded.push(character);
            } else {
                return fold_any(text);
            }
        }
        folded
    })
}

/// The same for any text.
fn fold_any(text: &str) -> String {
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

/// Letters, marks and digits.
pub fn is_part_of_word(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_alphanumeric();
    }
    character.is_alphanumeric() || is_combining_mark(character)
}

/// The words of a folded text: runs of letters, marks and digits.
pub fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(|character: char| !is_part_of_word(character)).filter(|word| !word.is_empty())
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
    fn the_short_way_and_the_long_one_agree() {
        let known = [0..0x500, 0x3000..0x3100, 0x4E00..0x4E20, 0xFF00..0xFFF0];
        let characters: Vec<char> = known.into_iter().flatten().filter_map(char::from_u32).collect();
        for (n, first) in characters.iter().enumerate() {
            for second in characters.iter().skip(n % 7).step_by(7) {
                let text = format!("{first}{second}");
                assert_eq!(fold(&text), fold_any(&text), "{text:?}");
            }
        }
    }

    #[test]
    fn splits_words() {
        assert_eq!(words("rossi-bianchi, mario (jr.)").collect::<Vec<_>>(), ["rossi", "bianchi", "mario", "jr"]);
        assert_eq!(words("  --  ").count(), 0);
    }
}
