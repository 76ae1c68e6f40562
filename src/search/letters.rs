//! Letters that people type in place of others, and that folding makes the same.

/// The letter that a small letter without diacritics is folded to, if it is another one.
///
/// Unicode decomposes none of these. The sources:
/// - Latin: the transform Latin-ASCII of CLDR. Of letters that it leaves alone, those of the African reference alphabet go
///   to the letter they look like, and ə to e as in passports (ICAO Doc 9303, part 3).
/// - Cyrillic: a letter whose Unicode name ends in "WITH DESCENDER", "WITH STROKE" or the like goes to the letter without
///   it. Others go to the letter that is typed for them on a Russian keyboard.
/// - Greek, Hebrew, kana: letters with the same primary weight in the Default Unicode Collation Element Table: letters at the
///   end of a word, small kana, and hiragana for katakana.
/// - Arabic: letters that the keyboards of Arabic, Persian, Urdu and Kurdish have in place of each other, or that look the
///   same at the end of a word.
pub fn plain_letter(letter: char) -> Option<&'static str> {
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

        'ς' => "σ",

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

/// The new form of a Chinese character that is an old form in Japanese names (髙 高, 邊 辺, 齋 斎); any other character of the
/// block "CJK Unified Ideographs" is returned as it is.
pub fn plain_han(letter: char) -> Option<char> {
    let new = PLAIN_HAN.get((letter as usize).checked_sub(FIRST_HAN)?)?;
    char::from_u32(u32::from(*new))
}

const FIRST_HAN: usize = 0x4E00;
const HAN_BYTES: usize = 3;

static PLAIN_HAN: [u16; 0x5200] = plain_han_table();

/// The block "CJK Unified Ideographs", with new forms in the places of the old ones.
const fn plain_han_table() -> [u16; 0x5200] {
    let mut table = [0; 0x5200];
    let mut n = 0;
    while n < table.len() {
        table[n] = (FIRST_HAN + n) as u16;
        n += 1;
    }
    let mut at = 0;
    while at < OLD_HAN.len() {
        table[han_at(OLD_HAN, at) as usize - FIRST_HAN] = han_at(NEW_HAN, at);
        at += HAN_BYTES;
    }
    table
}

/// The character that begins at that byte; UTF-8 writes it with three bytes.
const fn han_at(text: &str, at: usize) -> u16 {
    let bytes = text.as_bytes();
    (bytes[at] as u16 & 0x0F) << 12 | (bytes[at + 1] as u16 & 0x3F) << 6 | (bytes[at + 2] as u16 & 0x3F)
}

// Old forms and, in the same order, new forms: those of the tables of Jōyō kanji (2010) and Jinmeiyō kanji (2017), by
// joyo-variants.txt and jinmei-variants.txt of the CJKVI database, and some of family names: 髙 嵜 邉 齊 斉 嶌 濵 桒 栁 舘 曻 渕.
const OLD_HAN: &str = "\
    乘亂亙亞佛來倂假傳僞價儉兒兩冨凉凛剩劍劑勞勳勵勸區卷卽參單嚴囑圈國圍圓圖\
    團埜堯增墮壓壘壞壤壯壹壽奧奬孃學寢實寫寬寶將專對屆屬峯峽嵜嶋嶌嶽巖巢帶廢\
    廣廳彈彌徑從徵德恆惠惡惱愼慘應懷戀戰戲戾拂拔拜挾插揭搖搜擇擊擔據擧擴攝收\
    效敍敕數斉斷晄晚晝曆曉曻曾會栁桒條棧榮槇槪樂樓樞樣橫檜檢櫻權歐歡步歷歸殘\
    殼毆每氣涉淚淨淺渕渴溪溫滯滿潛澁澤濕濟濱濵瀧瀨灣燈燒營爐爭爲犧狀狹獨獵獸\
    獻瓣甁畫當疊瘦癡發盃盜盡眞硏碎祕祿禪禮禰禱稱稻穗穩穰竊竝籠粹絲經綠緖緣縣\
    縱總繩繪繼續纖缺罐聲聽肅腦膽臟臺與舊舘艷莊莖萠萬薗薰藏藝藥處虛號螢蟲蠶蠻\
    衞裝襃覺覽觀觸謠證譯譽讀變讓豐豫貳賣賴贊踐輕轉辨辭辯遙遞遲邉邊郞鄕醉醫釀\
    釋錄錢鍊鎭鐵鑄鑛關陷隨險隱雙雜霸靈靜顯飜餘餠駈騷驅驗驛髓體髙髮鬭鷄鷗鹽麥\
    麵黃黑默點黨齊齋齒齡龍龜\
    ";
const NEW_HAN: &str = "\
    乗乱亘亜仏来併仮伝偽価倹児両富涼凜剰剣剤労勲励勧区巻即参単厳嘱圏国囲円図\
    団野尭増堕圧塁壊壌壮壱寿奥奨嬢学寝実写寛宝将専対届属峰峡崎島島岳巌巣帯廃\
    広庁弾弥径従徴徳恒恵悪悩慎惨応懐恋戦戯戻払抜拝挟挿掲揺捜択撃担拠挙拡摂収\
    効叙勅数斎断晃晩昼暦暁昇曽会柳桑条桟栄槙概楽楼枢様横桧検桜権欧歓歩歴帰残\
    殻殴毎気渉涙浄浅淵渇渓温滞満潜渋沢湿済浜浜滝瀬湾灯焼営炉争為犠状狭独猟獣\
    献弁瓶画当畳痩痴発杯盗尽真研砕秘禄禅礼祢祷称稲穂穏穣窃並篭粋糸経緑緒縁県\
    縦総縄絵継続繊欠缶声聴粛脳胆臓台与旧館艶荘茎萌万園薫蔵芸薬処虚号蛍虫蚕蛮\
    衛装褒覚覧観触謡証訳誉読変譲豊予弐売頼賛践軽転弁辞弁遥逓遅辺辺郎郷酔医醸\
    釈録銭錬鎮鉄鋳鉱関陥随険隠双雑覇霊静顕翻余餅駆騒駆験駅髄体高髪闘鶏鴎塩麦\
    麺黄黒黙点党斎斎歯齢竜亀\
    ";

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn old_forms_have_one_new_form() {
        assert_eq!(OLD_HAN.len(), NEW_HAN.len());
        for (old, new) in OLD_HAN.chars().zip(NEW_HAN.chars()) {
            assert_eq!((plain_han(old), plain_han(new)), (Some(new), Some(new)), "{old}");
        }
        for (old, new) in
            [('髙', '高'), ('邊', '辺'), ('齋', '斎'), ('斉', '斎'), ('澤', '沢'), ('國', '国'), ('蔡', '蔡')]
        {
            assert_eq!(plain_han(old), Some(new));
        }
        assert_eq!((plain_han('a'), plain_han('が'), plain_han('\u{A000}')), (None, None, None));
    }

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
