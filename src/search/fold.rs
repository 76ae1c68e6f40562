//! Folding: the form of a text in which case, width, diacritics, apostrophes and invisible
//! characters do not count, nor which of several letters that stand for each other was typed, nor
//! in which script its digits are.

use super::han::plain_han;
use super::letters::{plain_kana, plain_letter};
use crate::text::{ascii_digit, is_invisible};
use std::cell::OnceCell;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Marks that change how a letter is decorated, not which letter it is. The voicing marks of kana
/// (が is not か) and the vowel signs of Indic scripts are combining marks too, and do count.
fn is_diacritic(mark: char) -> bool {
    is_combining_mark(mark)
        && matches!(mark,
            '\u{0300}'..='\u{036F}' | '\u{0483}'..='\u{0489}' | '\u{0591}'..='\u{05C7}'
            | '\u{0610}'..='\u{061A}' | '\u{064B}'..='\u{065F}' | '\u{0670}' | '\u{06D6}'..='\u{06ED}' | '\u{08CA}'..='\u{08FF}'
            // Tone marks of Thai and Lao, which have no primary weight in the Default Unicode
            // Collation Element Table either.
            | '\u{0E47}'..='\u{0E4C}' | '\u{0EC8}'..='\u{0ECC}'
            // The dots below letters of Indic scripts.
            | '\u{093C}' | '\u{09BC}' | '\u{0A3C}' | '\u{0ABC}' | '\u{0B3C}' | '\u{0CBC}'
            | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}')
}

/// What may stand between two letters of a word and is left out by as many people: apostrophes and
/// what is taken for one, quotation marks, which Hebrew abbreviations have, and the strokes that
/// make an Arabic word longer.
fn is_ignored(character: char) -> bool {
    matches!(
        character,
        '\'' | '"' | '`' | '´' | '’' | '‘' | '‛' | '“' | '”' | '′' | '‵' | 'Ꞌ' | 'ꞌ' | 'ʹ'
            ..='ʿ'
                | 'ˮ'
                | '\u{0384}'
                | '\u{055A}'
                | '\u{05F3}'
                | '\u{05F4}'
                | '\u{0640}'
                | '\u{07FA}'
                | '\u{1FBD}'
                | '\u{1FBF}'
                | '\u{1FEF}'
                | '\u{1FFD}'
                | '\u{1FFE}'
    ) || is_invisible(character)
}

/// Letters of scripts that spell words sound by sound; a character of Han script is a word of its
/// own.
pub fn is_spelled(letter: char) -> bool {
    letter.is_alphabetic()
        && !matches!(letter, '\u{2E80}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Characters that say as much as a word or a syllable of other scripts, so that one or two of them
/// are looked for in any place: Han, kana, Hangul.
pub fn one_word_per_character(letter: char) -> bool {
    matches!(letter, '\u{2E80}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7AF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Latin, Greek, Cyrillic, Armenian, Hebrew and Arabic. The characters below fold each for itself,
/// whatever stands beside them: all marks among them are left out.
const ALPHABETS_END: usize = 0x700;

thread_local! {
    /// What each of them folds to, as far as it was needed.
    static ALPHABETS: Box<[OnceCell<Box<str>>]> = std::iter::repeat_with(OnceCell::new).take(ALPHABETS_END).collect();
}

/// The text in its folded form: NFKC, lower case, without what does not count.
pub fn fold(text: &str) -> String {
    // Most names, at a tenth of the price.
    ALPHABETS.with(|alphabets| {
        let mut folded = String::with_capacity(text.len());
        for character in text.chars() {
            if character.is_ascii() && !matches!(character, '\'' | '"' | '`') {
                folded.push(character.to_ascii_lowercase());
            } else if let Some(plain) = alphabets.get(character as usize).and_then(OnceCell::get) {
                folded.push_str(plain);
            } else if let Some(plain) = plain_han(character).or_else(|| plain_kana(character)) {
                folded.push(plain);
            } else if !add_rare(character, alphabets, &mut folded) {
                return fold_any(text);
            }
        }
        folded
    })
}

/// Adds a character that was not yet needed, or nothing for one that does not count. False: what
/// stands beside it counts.
#[inline(never)]
fn add_rare(character: char, alphabets: &[OnceCell<Box<str>>], folded: &mut String) -> bool {
    let Some(known) = alphabets.get(character as usize) else {
        return is_ignored(character);
    };
    let plain = fold_any(character.encode_utf8(&mut [0; 4]));
    if plain.contains(MIDDLE_DOT) {
        return false;
    }
    folded.push_str(known.get_or_init(|| plain.into_boxed_str()));
    true
}

/// The same for any text.
fn fold_any(text: &str) -> String {
    fold_each(text, |character| plain_kana(character).or_else(|| plain_han(character)))
}

/// The folded form in which kana and Chinese characters stay as they are typed: hiragana is not
/// katakana, and an old form of a character is not the new one.
pub fn fold_exactly(text: &str) -> String {
    fold_each(text, |_| None)
}

/// Folds a text, and each character that no letter is typed for as told.
fn fold_each(text: &str, plain: impl Fn(char) -> Option<char>) -> String {
    let mut folded = String::with_capacity(text.len());
    // Apostrophes before decomposition: ´ decomposes into a space and an accent.
    for character in text.chars().filter(|character| !is_ignored(*character)).nfkd() {
        if is_diacritic(character) || is_ignored(character) {
            continue;
        }
        for lower in character.to_lowercase().filter(|lower| !is_diacritic(*lower)) {
            match plain_letter(lower) {
                Some(plain) => folded.push_str(plain),
                None => folded.push(plain(lower).or_else(|| ascii_digit(lower)).unwrap_or(lower)),
            }
        }
    }
    without_dots_between_l(folded.nfc().collect())
}

const MIDDLE_DOT: char = '·';

/// Catalan writes l·l for a long l. Elsewhere a middle dot stands between words.
fn without_dots_between_l(folded: String) -> String {
    if !folded.contains("l·l") {
        return folded;
    }
    let is_between = |at: usize| folded[..at].ends_with('l') && folded[at + MIDDLE_DOT.len_utf8()..].starts_with('l');
    let kept = folded.char_indices().filter(|(at, character)| *character != MIDDLE_DOT || !is_between(*at));
    kept.map(|(_, character)| character).collect()
}

/// Letters, marks and digits.
pub fn is_part_of_word(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_alphanumeric();
    }
    character.is_alphanumeric() || is_combining_mark(character)
}

/// The words of a folded text: runs of letters, marks and digits.
pub fn words(folded: &str) -> impl Iterator<Item = &str> + Clone {
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
            ("が", "ガ"),
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

    /// What is in one line is typed for each other.
    const SAME: &[&[&str]] = &[
        // Apostrophes, and what is taken for one.
        &["Oʻzbek", "O'zbek", "Oʼzbek", "O‛zbek", "Oꞌzbek", "OꞋzbek", "O`zbek", "Ozbek", "Ｏ＇ｚｂｅｋ"],
        &["Kaʻahumanu", "Kaahumanu", "Ka'ahumanu"],
        &["ג׳ורג׳", "ג'ורג'", "גורג"],
        &["צה״ל", "צה\"ל", "צה”ל", "צהל"],
        &["΄Αννα", "Άννα", "Αννα", "ΑΝΝΑ"],
        // What shows nothing.
        &["Tsai\u{200B}", "\u{202A}Tsai\u{202C}", "T\u{AD}sai", "Tsai\u{3164}", "\u{2066}Tsai\u{2069}", "tsai"],
        &["葛\u{E0100}", "葛\u{FE00}", "葛"],
        &["می\u{200C}خواهم", "میخواهم"],
        &["❤\u{FE0F}", "❤"],
        // Arabic, Persian, Urdu, Kurdish.
        &["مصطفى", "مصطفي", "مصطفی"],
        &["فاطمة", "فاطمه", "فاطمہ", "فاطمە", "فاطِمَة"],
        &["ٱلرحمن", "الرحمن", "الرحمٰن", "الرَّحْمَـــن"],
        &["أحمد", "احمد", "إحمد", "آحمد", "ٱحمد", "أحمـــد"],
        &["کریم", "كريم", "كريـم", "ڪريم"],
        &["مؤمن", "مومن"],
        &["محمدﷺ", "محمدصلى الله عليه وسلم"],
        &["ﻣﺤﻤﺪ", "محمد"],
        &["شقة ١٢٣", "شقة 123", "شقه ۱۲۳", "شقة １２３"],
        &["मकान ४२", "मकान 42"],
        // Hebrew with final letters, with points.
        &["שלום", "שלומ", "שָׁלוֹם"],
        // Latin with a hook, a stroke, or turned.
        &["Əliyev", "Eliyev", "əliyev"],
        &["Ɗanladi", "danladi"],
        &["Ƙarami", "karami"],
        &["Ɓala", "bala"],
        &["Kɛlɛ", "kele", "KƐLƐ"],
        &["Kɔfi", "kofi", "KƆFI"],
        &["Ŋaɲa", "nana"],
        &["Ʋɩɣʊ", "vigu"],
        &["Đặng", "Dang", "Ðang"],
        &["Paral·lel", "Parallel", "Paraŀlel", "PARAL·LEL", "PARAĿLEL"],
        // Cyrillic with an upturn, a descender, a stroke.
        &["Ґалаґан", "Галаган"],
        &["Қайрат", "Кайрат"],
        &["Нұрсұлтан", "Нурсултан", "НҰРСҰЛТАН"],
        &["Өмірбек Үсенов", "Омірбек Усенов"],
        &["Һади", "Хади"],
        &["Артём", "Артем"],
        // Kana: hiragana, katakana, half width, large ones for small ones.
        &["たなか", "タナカ", "ﾀﾅｶ"],
        &["がっこう", "ガッコウ", "ｶﾞｯｺｳ", "ガツコウ"],
        &["きゃのん", "キャノン", "キヤノン"],
        &["う\u{3099}", "ヴ", "ゔ"],
        // Old and new forms of kanji.
        &["髙橋", "高橋"],
        &["渡邊", "渡邉", "渡辺"],
        &["齋藤", "斎藤", "齊藤", "斉藤"],
        &["濱﨑", "浜崎", "濵嵜"],
        &["𠮷田", "吉田"],
        &["神", "神"],
        // Devanagari with and without a dot below, with chandrabindu.
        &["फ़ातिमा", "फातिमा", "फ़ातिमा"],
        &["माँ", "मां"],
        // Thai and Lao without tone marks.
        &["ใหม่", "ใหม"],
        &["น้ำ", "นำ"],
        &["ສົ່ງ", "ສົງ"],
    ];

    #[test]
    fn folds_to_the_same() {
        for spellings in SAME {
            let first = fold(spellings[0]);
            assert!(!first.trim().is_empty());
            for other in *spellings {
                assert_eq!(fold(other), first, "{other}");
            }
        }
    }

    #[test]
    fn folds_apart() {
        for (one, other) in [
            ("が", "か"),
            ("ば", "ぱ"),
            ("タナカ", "タカナ"),
            ("پارک", "بارك"),
            ("गंगा", "गगा"),
            ("नाम", "नम"),
            ("กา", "กะ"),
            ("שין", "סין"),
            ("Жанна", "Зханна"),
            ("A·B", "AB"),
            ("ジョン・スミス", "ジョンスミス"),
            ("高", "吉"),
            ("५", "६"),
        ] {
            assert_ne!(fold(one), fold(other), "{one} {other}");
        }
    }

    #[test]
    fn folds_exactly() {
        for (one, other) in [("やまだ", "ヤマダ"), ("髙橋", "高橋"), ("渡邊", "渡辺"), ("キャノン", "キヤノン")]
        {
            assert_ne!(fold_exactly(one), fold_exactly(other), "{one} {other}");
        }
        for (one, other) in [("ﾔﾏﾀﾞ", "ヤマダ"), ("Łukasz", "lukasz"), ("شقة ١٢٣", "شقه 123"), ("高橋 ＡＢ", "高橋 ab")]
        {
            assert_eq!(fold_exactly(one), fold_exactly(other), "{one} {other}");
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
        let known =
            [0..0x500, 0x590..0x700, 0x900..0x980, 0x3000..0x3100, 0x4E00..0x4E20, 0x9AD9..0x9ADA, 0xFF00..0xFFF0];
        let characters: Vec<char> = known.into_iter().flatten().filter_map(char::from_u32).collect();
        for (n, first) in characters.iter().enumerate() {
            for second in characters.iter().skip(n % 7).step_by(7) {
                let text = format!("{first}{second}");
                assert_eq!(fold(&text), fold_any(&text), "{text:?}");
                assert_eq!(fold(&fold(&text)), fold(&text), "{text:?}");
            }
        }
        for text in ["l·l", "l·l·l", "l·", "·l", "ŀl", "lŀ", "l·\u{301}l", "l\u{200B}·l", "L·L", "а·l·l"] {
            assert_eq!(fold(text), fold_any(text), "{text}");
            assert_eq!(fold(&fold(text)), fold(text), "{text}");
        }
    }

    #[test]
    fn splits_words() {
        assert_eq!(words("rossi-bianchi, mario (jr.)").collect::<Vec<_>>(), ["rossi", "bianchi", "mario", "jr"]);
        assert_eq!(words("  --  ").count(), 0);
    }
}
