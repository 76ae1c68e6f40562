//! Letters that people type in place of others, and that folding makes the same.

/// The letter that a small letter without diacritics is folded to, if it is another one.
///
/// Unicode decomposes none of these. The sources:
/// - Latin: the transform Latin-ASCII of CLDR. Of letters that it leaves alone, those of the
///   African reference alphabet go to the letter they look like, and ə to e as in passports (ICAO
///   Doc 9303, part 3).
/// - Cyrillic: a letter whose Unicode name ends in "WITH DESCENDER", "WITH STROKE" or the like goes
///   to the letter without it. Others go to the letter that is typed for them on a Russian
///   keyboard.
/// - Greek, Hebrew, kana: letters with the same primary weight in the Default Unicode Collation
///   Element Table: letters at the end of a word, small kana, and hiragana for katakana.
/// - Arabic: letters that the keyboards of Arabic, Persian, Urdu and Kurdish have in place of each
///   other, or that look the same at the end of a word.
pub fn plain_letter(letter: char) -> Option<&'static str> {
    plain_latin(letter).or_else(|| plain_cyrillic(letter)).or_else(|| plain_other(letter))
}

/// The same of a Latin letter.
fn plain_latin(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ⱥ' => "a",
        'æ' => "ae",
        'ƀ' | 'ƃ' | 'ɓ' => "b",
        'ƈ' | 'ȼ' => "c",
        'đ' | 'ð' | 'ƌ' | 'ȡ' | 'ɖ' | 'ɗ' => "d",
        'ǝ' | 'ə' | 'ɇ' | 'ɛ' | 'ⱸ' => "e",
        'ƒ' => "f",
        'ǥ' | 'ɠ' | 'ɣ' => "g",
        'ħ' | 'ɦ' | 'ⱨ' => "h",
        'ı' | 'ɨ' | 'ɩ' => "i",
        'ȷ' | 'ɉ' => "j",
        'ƙ' | 'ⱪ' => "k",
        'ł' | 'ƚ' | 'ȴ' | 'ⱡ' => "l",
        'ŋ' | 'ƞ' | 'ȵ' | 'ɲ' => "n",
        'ø' | 'ɔ' | 'ɵ' | 'ⱺ' => "o",
        'œ' => "oe",
        'ƣ' => "oi",
        'ƥ' => "p",
        'ĸ' => "q",
        'ɍ' => "r",
        'ȿ' | 'ẜ' | 'ẝ' => "s",
        'ß' => "ss",
        'ŧ' | 'ƫ' | 'ƭ' | 'ȶ' | 'ⱦ' => "t",
        'þ' => "th",
        'ʉ' | 'ʊ' => "u",
        'ʋ' | 'ⱱ' | 'ⱴ' => "v",
        'ⱳ' => "w",
        'ƴ' | 'ɏ' => "y",
        'ƶ' | 'ȥ' | 'ɀ' | 'ⱬ' => "z",
        _ => return None,
    })
}

/// The same of a Cyrillic letter.
fn plain_cyrillic(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ә' => "а",
        'ґ' | 'ғ' | 'ҕ' | 'ӷ' | 'ӻ' => "г",
        'җ' => "ж",
        'ҙ' => "з",
        'ҋ' => "и",
        'қ' | 'ҝ' | 'ҟ' | 'ӄ' => "к",
        'ӆ' | 'ԓ' | 'ԡ' | 'ԯ' => "л",
        'ӎ' => "м",
        'ң' | 'ҥ' | 'ӈ' | 'ӊ' | 'ԣ' | 'ԩ' => "н",
        'ө' => "о",
        'ҧ' | 'ԥ' => "п",
        'ҏ' => "р",
        'ҫ' => "с",
        'ҭ' => "т",
        'ү' | 'ұ' => "у",
        'һ' | 'ԧ' | 'ҳ' | 'ӽ' | 'ӿ' => "х",
        'ҷ' | 'ҹ' => "ч",
        _ => return None,
    })
}

/// The same of a letter of other scripts, or a mark.
fn plain_other(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ς' => "σ",

        'ך' => "כ",
        'ם' => "מ",
        'ן' => "נ",
        'ף' => "פ",
        'ץ' => "צ",

        'ٱ' => "ا",
        'ى' | 'ی' => "ي",
        'ة' | 'ہ' | 'ھ' | 'ە' | 'ۃ' => "ه",
        'ک' | 'ڪ' => "ك",

        // Chandrabindu and anusvara, which are written for each other: माँ, मां.
        'ँ' => "ं",

        'ｰ' => "ー",
        '﨑' => "崎",
        '𠮷' => "吉",
        _ => return None,
    })
}

/// Hiragana as katakana, and small kana as large ones, since banks and old programs use only these.
pub fn plain_kana(letter: char) -> Option<char> {
    const TO_KATAKANA: u32 = 'ア' as u32 - 'あ' as u32;
    let katakana = match letter {
        'ぁ'..='ゖ' | 'ゝ' | 'ゞ' => char::from_u32(letter as u32 + TO_KATAKANA)?,
        'ァ'..='ー' | 'ヽ' | 'ヾ' => letter,
        _ => return None,
    };
    Some(match katakana {
        'ァ' => 'ア',
        'ィ' => 'イ',
        'ゥ' => 'ウ',
        'ェ' => 'エ',
        'ォ' => 'オ',
        'ッ' => 'ツ',
        'ャ' => 'ヤ',
        'ュ' => 'ユ',
        'ョ' => 'ヨ',
        'ヮ' => 'ワ',
        'ヵ' => 'カ',
        'ヶ' => 'ケ',
        // The middle dot stands between katakana in Unicode, and is no letter.
        '・' => return None,
        other => other,
    })
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn a_plain_letter_is_plain() {
        for letter in (0..=0x10FFFF).filter_map(char::from_u32) {
            for plain in plain_letter(letter).into_iter().flat_map(str::chars).chain(plain_kana(letter)) {
                assert_eq!(plain_letter(plain), None, "{letter}");
                assert!(plain_kana(plain).is_none_or(|other| other == plain), "{letter}");
            }
        }
    }
}
