//! Phone numbers in the form that look-ups compare: E.164 by the owner's country.
//!
//! A stored text is kept as the numbers in it ([`normal_phones`]). A text to find is looked up as the same
//! numbers, and as what else its digits may mean ([`phones_to_find`]). Both read the text with [`Reading`].
//!
//! What libphonenumber calls valid is a number. What it calls possible is one only if nothing in the text is valid. A text
//! that is not a number is kept as it is written, so that two different texts have no form in common.

use super::number::{ascii_digits, count_digits, plain_number, with_code};
use super::reading::{PIECES, Reading, is_of_phone, trimmed};

/// The fewest digits of a partly typed number that are searched.
pub const MIN_SUFFIX_DIGITS: usize = 4;

/// Longer texts are not read as phone numbers: parsing them would take too long.
const MAX_CHARACTERS: usize = 1000;

/// The decimal digits of a text in ASCII, from whatever script or width.
pub fn digits(text: &str) -> String {
    ascii_digits(&plain_number(text))
}

fn is_too_long(text: &str) -> bool {
    text.len() > MAX_CHARACTERS && text.chars().nth(MAX_CHARACTERS).is_some()
}

/// Whether a text can be kept as a phone number: it has a digit, and is not too long.
pub fn is_phone(text: &str) -> bool {
    !is_too_long(text) && plain_number(text).contains(|character: char| character.is_ascii_digit())
}

/// What a phone is stored as: each number in the text in E.164; the digits of a text that is no number and has nothing
/// else (a short code, an internal extension); and any other text that is not all read as numbers also as it is written.
/// An extension dialled after the number is not part of the form.
pub fn normal_phones(text: &str, country: Option<&str>) -> Vec<String> {
    if is_too_long(text) {
        return Vec::new();
    }
    let plain = plain_number(text);
    let reading = Reading::of(&plain, country);
    let forms = reading.numbers.iter().map(|number| number.e164.clone());
    distinct(forms.chain(reading.bare.iter().cloned()).chain(reading.written(&plain)))
}

/// The first of the forms that a phone is stored as.
#[cfg(test)]
pub fn normal_phone(text: &str, country: Option<&str>) -> Option<String> {
    normal_phones(text, country).into_iter().next()
}

/// The forms that a phone is looked up by, best first: all that it may be stored as, and what else its digits may mean.
pub fn phones_to_find(text: &str, country: Option<&str>) -> Vec<String> {
    if is_too_long(text) {
        return Vec::new();
    }
    let plain = plain_number(text);
    let reading = Reading::of(&plain, country);
    forms_to_find(&reading, reading.written(&plain), country)
}

/// All that a text may be stored as (`written`: as it is written), and what else its digits may mean.
fn forms_to_find(reading: &Reading, written: Option<String>, country: Option<&str>) -> Vec<String> {
    let kept = reading.bare.iter().cloned().chain(written);
    distinct(reading.to_find(country).into_iter().chain(kept).chain(callers(reading, country)))
}

/// The forms that a search looks up. If the text is phone numbers with nothing but labels, separators and notes, these are the same as
/// of [`phones_to_find`]; any other text with a digit is looked up only as it is written.
pub struct Asked {
    pub forms: Vec<String>,
    /// Whether the text is phone numbers and nothing else.
    pub is_phone: bool,
}

pub fn asked(text: &str, country: Option<&str>) -> Asked {
    if is_too_long(text) {
        return Asked { forms: Vec::new(), is_phone: false };
    }
    let plain = plain_number(text);
    let reading = Reading::of(&plain, country);
    let is_phone = reading.is_all_numbers()
        || reading.numbers.is_empty() && !reading.bare.is_empty() && is_of_phone(trimmed(&plain));
    let written = reading.written(&plain);
    let forms = if is_phone { forms_to_find(&reading, written, country) } else { written.into_iter().collect() };
    Asked { forms, is_phone }
}

/// The numbers that digits without `+` are with the code of a country, as a caller's number is shown. Only for an owner without a country.
fn callers(reading: &Reading, country: Option<&str>) -> Vec<String> {
    let bare = reading.bare.iter().filter(|_| country.is_none());
    bare.filter_map(|digits| with_code(digits)).collect()
}

/// The form in which two phones are the same: their numbers, with their extensions.
pub fn unique_phone(text: &str, country: Option<&str>) -> Option<String> {
    if is_too_long(text) {
        return None;
    }
    let plain = plain_number(text);
    let reading = Reading::of(&plain, country);
    // A label makes it no other number; an extension does.
    if reading.is_all_digits { reading.unique().or_else(|| reading.written(&plain)) } else { reading.written(&plain) }
}

fn distinct(forms: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for form in forms {
        if !distinct.contains(&form) {
            distinct.push(form);
        }
    }
    distinct
}

/// Whether a text is written like a phone number, with enough digits for the end of one.
pub fn looks_like_phone(text: &str) -> bool {
    let plain = plain_number(text);
    let number = trimmed(&plain);
    is_of_phone(number) && count_digits(number) >= MIN_SUFFIX_DIGITS
}

/// The phone numbers among other words: each as it stands there, which may be in several words, and what it is looked up as.
pub fn phones_among<'a>(text: &'a str, country: Option<&str>) -> Vec<(Vec<&'a str>, Vec<String>)> {
    let pieces: Vec<&str> = text.split_whitespace().map(|piece| piece.trim_end_matches([',', ';'])).collect();
    let number = |some: &[&'a str]| -> Option<(Vec<&'a str>, Vec<String>)> {
        let text = some.join(" ");
        if !looks_like_phone(&text) {
            return None;
        }
        let plain = plain_number(&text);
        let number = super::number::number(&plain, country)?;
        Some((some.to_vec(), distinct(Reading::of_number(number).to_find(country))))
    };
    let is_of_phone = |piece: &str| super::reading::is_of_phone(&plain_number(piece));
    let mut numbers = Vec::new();
    for mut run in pieces.chunk_by(|one, next| is_of_phone(one) && is_of_phone(next)) {
        // The longest run of words that is one number: two numbers side by side are not one.
        while !run.is_empty() {
            let longest = (1..=run.len().min(PIECES)).rev().find_map(|count| number(run.get(..count)?));
            run = run.get(longest.as_ref().map_or(1, |(pieces, _)| pieces.len())..).unwrap_or_default();
            numbers.extend(longest);
        }
    }
    numbers
}

#[cfg(test)]
mod unit_tests {
    use super::super::number::plainly_one;
    use super::super::reading::MAX_NUMBERS;
    use super::*;

    /// The owner's country, a phone as it is stored, and the forms that are kept of it.
    const STORED: &[(&str, &str, &[&str])] = &[
        ("PL", "+48 601-234-567", &["+48601234567"]),
        ("PL", "601234567", &["+48601234567"]),
        ("PL", "0048601234567", &["+48601234567"]),
        ("TW", "(02) 2345-6789 ext. 12", &["+886223456789"]),
        ("JP", "０９０ー１２３４ー５６７８", &["+819012345678"]),
        ("IT", "06 1234 5678", &["+390612345678"]),
        ("UA", "067 123 45 67", &["+380671234567"]),
        ("US", "(415) 555-2671", &["+14155552671"]),
        ("GB", "+44 (0)20 7946 0958", &["+442079460958"]),
        ("DE", "+49 (0) 30 123456-78", &["+493012345678"]),
        ("IT", "+39 (0)6 1234 5678", &["+390612345678"]),
        ("US", "555-2671", &["+15552671"]),
        ("PL", "112", &["112"]),
        // What stands beside a number is not dialled, also where numbers may be longer.
        ("PL", "601 234 567 (mama)", &["+48601234567"]),
        ("PL", "tel. 601234567", &["+48601234567"]),
        ("JP", "090-1234-5678（母）", &["+819012345678"]),
        ("US", "555-2671 (mom)", &["+15552671"]),
        ("PL", "601 234 567 (24h)", &["+48601234567"]),
        ("PL", "601 234 567 (8-16)", &["+48601234567"]),
        ("DE", "0171 1234567 (8-16)", &["+491711234567"]),
        ("DE", "0171 1234567 (8:00-16:00)", &["+491711234567"]),
        ("PL", "1) 601 234 567", &["+48601234567"]),
        ("DE", "1) 0171 1234567", &["+491711234567"]),
        ("PL", "1. 601234567", &["+48601234567"]),
        ("PL", "Tel1: 601234567", &["+48601234567"]),
        ("DE", "Tel1: 0171 1234567", &["+491711234567"]),
        ("PL", "2. numer: 601 234 567", &["+48601234567"]),
        ("PL", "22 123 (Anna)", &["22123", "22-123anna"]),
        // Several.
        ("PL", "601234567/602345678", &["+48601234567", "+48602345678"]),
        ("PL", "601 234 567 / 602 345 678", &["+48601234567", "+48602345678"]),
        ("PL", "601234567, 602345678", &["+48601234567", "+48602345678"]),
        ("PL", "601234567; 602345678", &["+48601234567", "+48602345678"]),
        ("PL", "601234567\n602345678", &["+48601234567", "+48602345678"]),
        ("PL", "601 234 567 602 345 678", &["+48601234567", "+48602345678"]),
        ("PL", "601 234 567 - 602 345 678", &["+48601234567", "+48602345678"]),
        ("PL", "601234567+48602345678", &["+48601234567", "+48602345678"]),
        ("PL", "+48601234567 (+48602345678)", &["+48601234567", "+48602345678"]),
        ("DE", "0171 1234567 oder 030 1234567", &["+491711234567", "+49301234567"]),
        ("DE", "030/1234567, 0171/1234567", &["+49301234567", "+491711234567"]),
        ("US", "555-2671, 555-2672", &["+15552671", "+15552672"]),
        ("TW", "0912-345-678、02-2345-6789", &["+886912345678", "+886223456789"]),
        ("PL", "Tel1: 601234567, Tel2: 602345678", &["+48601234567", "+48602345678"]),
        ("PL", "1) 601234567 2) 602345678", &["+48601234567", "+48602345678"]),
        ("PL", "601234567 (mama), 602345678 (tata)", &["+48601234567", "+48602345678"]),
        ("DE", "Büro: 030 1234567; mobil: 0171 1234567", &["+49301234567", "+491711234567"]),
        // One, with what also stands between two.
        ("DE", "0171/1234567", &["+491711234567"]),
        ("DE", "0171,1234567", &["+491711234567"]),
        ("DE", "0171~7654321", &["+491717654321"]),
        ("DE", "0711/123456", &["+49711123456"]),
        ("DE", "0171|1234567", &["+491711234567"]),
        ("DE", "0171;1234567", &["+491711234567"]),
        ("PL", "601·234·567", &["+48601234567"]),
        ("PL", "+48_601_234_567", &["+48601234567"]),
        ("PL", "601'234'567", &["+48601234567"]),
        ("PL", "601234567|602345678", &["+48601234567", "+48602345678"]),
        ("DE", "12:30", &["1230"]),
        ("PL", "601234567 + 602345678", &["+48601234567", "+48602345678"]),
        ("DE", "0171/1234567 + 030/1234567", &["+491711234567", "+49301234567"]),
        ("PL", "(1) 601 234 567", &["+48601234567"]),
        ("PL", "1- 601234567", &["+48601234567"]),
        ("PL", "Tel.1 601234567", &["+48601234567"]),
        ("KR", "02-312-3456~7", &["+8223123456"]),
        ("TW", "02/2345/6789", &["+886223456789"]),
        // Extensions are not part of it.
        ("UA", "067 123 45 67 доб. 12", &["+380671234567"]),
        ("PL", "22 123 45 67 wewn. 12", &["+48221234567"]),
        ("DE", "030 1234567 DW 12", &["+49301234567"]),
        ("AT", "01 5881234 Kl. 12", &["+4315881234"]),
        ("TW", "02-2345-6789 內線 12", &["+886223456789"]),
        ("TW", "02-2345-6789轉12", &["+886223456789"]),
        ("KR", "02-312-3456 내선 12", &["+8223123456"]),
        ("FR", "01 23 45 67 89 poste 12", &["+33123456789"]),
        ("BR", "11 2345-6789 ramal 12", &["+551123456789"]),
        ("IT", "06 1234 5678 interno 12", &["+390612345678"]),
        ("US", "(415) 555-2671 x12", &["+14155552671"]),
        ("PL", "601234567;ext=12", &["+48601234567"]),
        ("PL", "601234567#12", &["+48601234567"]),
        ("PL", "601234567,,12", &["+48601234567"]),
        // What spells a number is one, and nothing is cut off one that is none.
        ("US", "1-800-FLOWERS", &["+18003569377"]),
        ("US", "1-800-555-CALL", &["+18005552255"]),
        ("US", "1-800-CONTACTS", &["+18002668228"]),
        ("US", "1 800 MICROSOFT", &["+18006427676"]),
        ("US", "1-800-SOMETHING", &["+18007663844"]),
        ("DE", "0800 FLOWERS", &["+498003569377"]),
        ("DE", "030 Schmidt", &["030schmidt"]),
        ("PL", "1-800-CONTACTS", &["1-800contacts"]),
        ("PL", "*100#", &["*100#"]),
        ("PL", "100", &["100"]),
        ("PL", "pokój 12", &["pokój12"]),
        // With other words it is found as it is written, too.
        ("PL", "mama: +48 601 234 567 wieczorem", &["+48601234567", "mama48-601-234-567wieczorem"]),
        ("DE", "030 12345678 Büro", &["+493012345678", "030-12345678büro"]),
        ("PL", "601 234 567 2. numer", &["+48601234567", "601-234-567-2numer"]),
        ("PL", "2. numer 601 234 567", &["+48601234567", "2numer601-234-567"]),
        ("PL", "601 234 567 24h", &["+48601234567", "601-234-567-24h"]),
        ("PL", "Anna 601234567 i Jan 602345678", &["+48601234567", "+48602345678", "anna601234567ijan602345678"]),
        // What surrounds a pasted one.
        ("PL", "601234567,", &["+48601234567"]),
        ("PL", " 601234567; ", &["+48601234567"]),
        ("PL", "(601234567)", &["+48601234567"]),
        ("PL", "[601 234 567]", &["+48601234567"]),
        ("PL", "<601234567>", &["+48601234567"]),
        ("PL", "\"601234567\"", &["+48601234567"]),
        ("PL", "'+48601234567", &["+48601234567"]),
        ("PL", "601234567.", &["+48601234567"]),
        ("PL", "601234567)", &["+48601234567"]),
        ("PL", "Mobile: 601234567", &["+48601234567"]),
        ("PL", "Telefon:601 234 567", &["+48601234567"]),
        ("PL", "Telefon komórkowy: 601 234 567,", &["+48601234567"]),
        ("TW", "電話：0912-345-678", &["+886912345678"]),
        ("PL", "tel:+48601234567", &["+48601234567"]),
        ("PL", "tel:601-234-567;phone-context=+48", &["+48601234567"]),
        ("PL", "callto:601234567", &["+48601234567"]),
        ("PL", "callto://+48601234567", &["+48601234567"]),
        ("PL", "sip:+48601234567@pbx.example.com", &["+48601234567"]),
        ("PL", "sip:601234567@10.0.0.1:5060;user=phone", &["+48601234567"]),
        ("PL", "sips:0048601234567@example.com", &["+48601234567"]),
        ("PL", "<sip:+48601234567@pbx.example.com>", &["+48601234567"]),
        ("PL", "\"Jan\" <sip:+48601234567@pbx.example.com>;tag=1", &["+48601234567"]),
        ("PL", "Jan Nowak <tel:+48-601-234-567>", &["+48601234567"]),
        ("PL", "whatsapp:+48601234567", &["+48601234567"]),
        ("DE", "491711234567@c.us", &["+491711234567"]),
        ("DE", "491711234567:12@s.whatsapp.net", &["+491711234567"]),
        ("PL", "skype:+48601234567?call", &["+48601234567"]),
        ("PL", "sms:601234567?body=12", &["+48601234567"]),
        ("PL", "facetime-audio:601234567", &["+48601234567"]),
        ("PL", "viber://chat?number=%2B48601234567", &["+48601234567"]),
        ("PL", "📞 601 234 567", &["+48601234567"]),
        ("PL", "☎\u{FE0F} +48 601234567", &["+48601234567"]),
        ("TH", "โทรศัพท์: 081-234-5678", &["+66812345678"]),
        ("IN", "फ़ोन: 98765 43210", &["+919876543210"]),
        ("PL", "https://wa.me/48601234567", &["+48601234567"]),
        // Invisible characters, and the digits of every script.
        ("PL", "\u{202A}+48 601 234 567\u{202C}", &["+48601234567"]),
        ("PL", "601\u{200B}234\u{2060}567\u{FEFF}", &["+48601234567"]),
        ("PL", "601\u{AD}234\u{200D}567\u{FE0F}", &["+48601234567"]),
        ("PL", "601\u{A0}234\u{202F}567", &["+48601234567"]),
        ("EG", "٠١٠٠١٢٣٤٥٦٧", &["+201001234567"]),
        ("EG", "+٢٠ ١٠٠ ١٢٣ ٤٥٦٧", &["+201001234567"]),
        ("IR", "۰۹۱۲۳۴۵۶۷۸۹", &["+989123456789"]),
        ("IN", "९८७६५४३२१०", &["+919876543210"]),
        ("TH", "๐๘๑๒๓๔๕๖๗๘", &["+66812345678"]),
        ("PL", "١١٢", &["112"]),
        // With the code of a country, and without +.
        ("DE", "491711234567", &["+491711234567"]),
        ("DE", "49 171 1234567", &["+491711234567"]),
        ("DE", "4930123456", &["+4930123456"]),
        ("AT", "436641234567", &["+436641234567"]),
        ("ID", "6281234567890", &["+6281234567890"]),
        ("SE", "46701234567", &["+46701234567"]),
        ("NL", "31612345678", &["+31612345678"]),
        ("BR", "5511987654321", &["+5511987654321"]),
        ("VN", "84912345678", &["+84912345678"]),
        ("IT", "393331234567", &["+393331234567"]),
        ("SE", "468123456", &["+468123456"]),
        ("PL", "483301234", &["+48483301234"]),
        ("LU", "352261234", &["+352261234"]),
        ("IT", "3911234567", &["+393911234567"]),
        ("FI", "358401234567", &["+358401234567"]),
        ("JP", "819012345678", &["+819012345678"]),
        ("US", "48601234567", &["+48601234567"]),
        ("TW", "48601234567", &["+48601234567"]),
        // 00 everywhere.
        ("TW", "00886912345678", &["+886912345678"]),
        ("TW", "0048601234567", &["+48601234567"]),
        ("US", "0048601234567", &["+48601234567"]),
        ("JP", "0048 601 234 567", &["+48601234567"]),
        ("BR", "00 48 601 234 567", &["+48601234567"]),
        // Plans that ended, and numbers of two spellings.
        ("PL", "0601234567", &["+48601234567"]),
        ("PL", "0 22 123 45 67", &["+48221234567"]),
        ("PL", "+48 (0) 601 234 567", &["+48601234567"]),
        ("CZ", "0601234567", &["+420601234567"]),
        ("PT", "0912345678", &["+351912345678"]),
        ("IT", "0333 1234567", &["+393331234567"]),
        ("MX", "+52 1 55 1234 5678", &["+525512345678"]),
        ("MX", "5215512345678", &["+525512345678"]),
        ("MX", "044 55 1234 5678", &["+525512345678"]),
        ("MX", "045 55 1234 5678", &["+525512345678"]),
        ("MX", "01 55 1234 5678", &["+525512345678"]),
        ("US", "+5215512345678", &["+525512345678"]),
        ("PL", "5215512345678", &["+525512345678"]),
        ("PL", "551187654321", &["+5511987654321"]),
        ("AR", "011 15-1234-5678", &["+5491112345678"]),
        ("AR", "+54 9 11 1234 5678", &["+5491112345678"]),
        ("BR", "(11) 8765-4321", &["+5511987654321"]),
        ("BR", "551187654321", &["+5511987654321"]),
        ("PL", "+55 11 8765 4321", &["+5511987654321"]),
        ("BJ", "97 12 34 56", &["+2290197123456"]),
        // Dates are none.
        ("DE", "2026-03-31", &["20260331"]),
        ("DE", "31.03.2026", &["31032026"]),
    ];

    /// The short way and the long one agree.
    #[test]
    fn most_texts_are_plainly_one_number() {
        let mut plain = 0;
        for (country, _, _) in STORED {
            for (_, text, _) in STORED {
                let text = plain_number(text);
                if let Some(short) = plainly_one(trimmed(&text), Some(country)) {
                    let long = Reading::by_pieces(trimmed(&text), Some(country));
                    let numbers: Vec<(&str, &[String])> =
                        long.numbers.iter().map(|number| (&*number.e164, &number.others[..])).collect();
                    assert_eq!(numbers, [(&*short.e164, &[][..])], "{country} {text}");
                    assert!(long.is_all);
                    plain += 1;
                }
            }
        }
        assert!(plain > 1000, "{plain}");
    }

    #[test]
    fn what_is_stored() {
        let mut wrong = Vec::new();
        for (country, text, forms) in STORED {
            let found = normal_phones(text, Some(country));
            if found != *forms {
                wrong.push(format!("{country} {text:?}: {found:?}, not {forms:?}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(normal_phones("+48601234567", None), ["+48601234567"]);
        assert_eq!(normal_phones("601234567", None), ["601234567"]);
        assert_eq!(normal_phones("0048601234567", None), ["+48601234567"]);
        for none in ["no phone", "", " ", "---", "\u{200B}"] {
            assert_eq!(normal_phones(none, Some("PL")), [""; 0], "{none:?}");
        }
        assert_eq!(normal_phone(&"1".repeat(101), Some("PL")), None);
    }

    /// Whatever stands in a phone is found when it is asked for as it is stored.
    #[test]
    fn what_is_stored_is_found() {
        let odd = [
            "0",
            "1",
            "12",
            "+",
            "+1",
            "++48601234567",
            "x5",
            "ext. 12",
            "wewn. 123",
            "*21*601234567#",
            "##002#",
            "#31#601234567",
            "601234567 601234567",
            "12-34-56",
            "1/2/3",
            "1,2,3",
            "31.12.",
            "(",
            "(1",
            "1)",
            "((601234567))",
            "601234567 (a) (b)",
            "a1",
            "1a",
            "a 1 b 2 c 3",
            "Nobody 601234567",
            "CT-601234567",
            "601234567-mama",
            "601234567 x 5 Max",
            "tel 12",
            "00",
            "000000000",
            "+000000000",
            "999999999999999999",
            "9 9 9 9 9 9 9 9 9 9 9 9",
            "1800-ABC",
            "555-FILK",
            "☎ 601234567",
            "601234567 ☎",
            "601234567 🙂 602345678",
            "a@b.c 601234567",
            "601234567@example.com",
            "sip:anna1@example.com",
            "tel:",
            "tel:1",
            "sip:1@x",
            "601 234 567 lub 602 345 678 lub nic 3",
            "０１２３",
            "③",
            "Ⅷ 12",
            "²3",
            "601234567\u{200B}",
            "\u{202E}601234567",
            "٣",
            "पांच ५",
            "1\n2\n3",
            "1\t2",
            "601234567\t602345678",
            "2026-03-31",
            "31.03.2026 601234567",
            "24h",
            "8-16",
            "1-800-CONTACTS",
            "0171,1234567",
            "555-2671 or 2672",
            "(02) 2345-6789 #12 or #13",
            "0912345678*12",
            "0912345678;12",
            "12 (34) 56",
            "Ćma 1",
            "ΣΊΣΥΦΟΣ 1",
            "İ 1",
            "ẞ1",
        ];
        let affixes = [
            ("", ""),
            (" ", " "),
            ("(", ")"),
            ("[", "]"),
            ("<", ">"),
            ("\"", "\""),
            ("tel:", ""),
            ("Tel. ", ""),
            ("Mobile: ", ""),
            ("", ","),
            ("", " (mama)"),
            ("", " ext. 5"),
            ("", " (8-16)"),
            ("1) ", ""),
            ("", "/602345678"),
            ("Anna ", ""),
            ("", " Anna"),
            ("+", ""),
            ("00", ""),
        ];
        let kept: Vec<&str> = STORED.iter().map(|(_, text, _)| *text).chain(odd).collect();
        let mut wrong = Vec::new();
        for country in
            [None, Some("PL"), Some("DE"), Some("US"), Some("TW"), Some("AR"), Some("MX"), Some("BR"), Some("IT")]
        {
            for text in &kept {
                for (before, behind) in affixes {
                    let text = format!("{before}{text}{behind}");
                    let stored = normal_phones(&text, country);
                    let found = phones_to_find(&text, country);
                    let searched = asked(&text, country).forms;
                    let is_found = |forms: &[String]| stored.iter().any(|form| forms.contains(form));
                    if !is_phone(&text) {
                        assert!(stored.is_empty() && found.is_empty(), "{text:?}");
                    } else if !is_found(&found) || !is_found(&searched) {
                        wrong.push(format!(
                            "{country:?} {text:?}: stored {stored:?}, found {found:?}, searched {searched:?}"
                        ));
                    }
                    // Both look for the same if it is numbers and nothing else.
                    if asked(&text, country).is_phone
                        && !searched.iter().all(|form| form.bytes().all(|byte| byte.is_ascii_digit()))
                    {
                        assert_eq!(found, searched, "{country:?} {text:?}");
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{} of them:\n{}", wrong.len(), wrong[..wrong.len().min(60)].join("\n"));
    }

    #[test]
    fn different_numbers_have_no_form_in_common() {
        for (country, texts) in [
            ("US", &["1-800-CONTACTS", "1 800 MICROSOFT", "1-800-SOMETHING", "1800"][..]),
            ("PL", &["1-800-CONTACTS", "1 800 MICROSOFT", "1-800-SOMETHING", "1800"]),
            ("DE", &["0171,1234567", "0171~7654321", "0171"]),
            ("PL", &["*100#", "100", "*100", "#100"]),
            ("PL", &["pokój 12", "pokój 13", "pokój 1/2", "12", "wewn. 12"]),
            ("DE", &["030 Schmidt", "030 Schneider", "030"]),
            ("DE", &["0171;1234567", "0171|1234568", "0171=1234569", "0171:1234560", "0171•1234561", "0171"]),
            ("PL", &["601·234·567", "601·234·568", "12|34|56", "12|34|57", "601", "12"]),
            ("DE", &["12:30", "12:45", "12"]),
            ("PL", &["601 234 5xx", "601 234 5yy", "601 234 5", "601 234"]),
            ("TW", &["0912-345-67X", "0912-345-67Y", "0912-345-67"]),
        ] {
            for one in texts {
                for other in texts.iter().filter(|other| *other != one) {
                    let forms = phones_to_find(one, Some(country));
                    let shared = normal_phones(other, Some(country)).into_iter().any(|form| forms.contains(&form));
                    assert!(!shared, "{country} {one:?} finds {other:?}: {forms:?}");
                    assert_ne!(
                        unique_phone(one, Some(country)),
                        unique_phone(other, Some(country)),
                        "{country} {one:?} {other:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_the_same_for_a_unique_field() {
        let same = |country: &str, one: &str, other: &str| {
            let [one, other] = [one, other].map(|text| unique_phone(text, Some(country)));
            assert!(one.is_some());
            one == other
        };
        for (country, one, other) in [
            ("PL", "601234567", "tel:+48 601-234-567"),
            ("PL", "601234567", "\u{202A}601\u{200B}234567 (mama)"),
            ("PL", "22 123 45 67 wewn. 12", "+48221234567 ext. 12"),
            ("PL", "601234567/602345678", "602 345 678, 601 234 567"),
            ("AR", "+54 9 11 1234 5678", "11 1234-5678"),
            ("MX", "+52 1 55 1234 5678", "55 1234 5678"),
            ("BR", "11 8765-4321", "+55 11 98765-4321"),
            ("PL", "1-800-CONTACTS", "1 800 contacts"),
            ("PL", "Anna 601234567", "601 234 567 Jan"),
        ] {
            assert!(same(country, one, other), "{country} {one} {other}");
        }
        for (one, other) in [
            ("22 123 45 67 wewn. 12", "22 123 45 67 wewn. 13"),
            ("22 123 45 67 wewn. 12", "22 123 45 67"),
            ("601234567/602345678", "601234567"),
            ("22 123 45 67 pok. 12", "22 123 45 67 pok. 13"),
        ] {
            assert!(!same("PL", one, other), "{one} {other}");
        }
        assert_eq!(unique_phone("none", Some("PL")), None);
    }

    #[test]
    fn what_is_asked() {
        for (country, text, forms) in [
            ("DE", "491711234567", &["+491711234567", "+49491711234567"][..]),
            ("PL", "601234567", &["+48601234567"]),
            ("PL", "+48601234567", &["+48601234567"]),
            // A caller from abroad, in a country where as many digits may be a number of its own.
            ("DE", "48601234567", &["+4948601234567", "+48601234567"]),
            ("US", "6045551234", &["+16045551234"]),
            ("AR", "+5491112345678", &["+5491112345678", "+541112345678"]),
            ("AR", "11 1234 5678", &["+541112345678", "+5491112345678"]),
            ("PL", "+54 9 11 1234 5678", &["+5491112345678", "+541112345678"]),
            ("PL", "Nobody 601234567", &["+48601234567", "nobody601234567"]),
        ] {
            assert_eq!(phones_to_find(text, Some(country)), forms, "{country} {text}");
        }
        // What a caller's number is without a country, if it is one anywhere.
        assert_eq!(phones_to_find("48601234567", None), ["48601234567", "+48601234567"]);
        assert_eq!(phones_to_find("601234567", None), ["601234567"]);
        assert_eq!(phones_to_find("0601234567", None), ["0601234567"]);
        assert_eq!(asked("48601234567", None).forms, ["48601234567", "+48601234567"]);
        assert_eq!(phones_to_find("+48601234567", None), ["+48601234567", "48601234567"]);
    }

    #[test]
    fn what_looks_like_a_phone() {
        for phone in ["0912-345-678", "+48 601 234 567", "(02) 2345", "４５６７", "4567,", "٤٥٦٧"] {
            assert!(looks_like_phone(phone), "{phone}");
        }
        for other in ["Tsai", "123", "route 66 1234", ""] {
            assert!(!looks_like_phone(other), "{other}");
        }
    }

    #[test]
    fn a_phone_and_nothing_else() {
        for phone in [
            "601 234 567",
            "601234567 ext. 12",
            "+48 601-234-567 x 5",
            "601234567;ext=12",
            "601234567#12",
            "tel:+48601234567",
            "Tel. 601 234 567 ext. 12",
            "601 234 567 (mama)",
            "Mobile: 601234567,",
            "whatsapp:+48601234567",
            "48601234567@c.us",
            "Vater: 601234567",
            "\"Jan 2\" <sip:601234567@pbx.example.com>",
            "Kontor: 601 234 567",
            "Taxi: 601234567",
            "Accounting: 601234567",
            "Kundendienst: 601234567",
        ] {
            let asked = asked(phone, Some("PL"));
            assert!(asked.is_phone && asked.forms == ["+48601234567"], "{phone}: {:?}", asked.forms);
        }
        for other in [
            "Nobody 601234567",
            "601234567 Nobody",
            "CT-601234567",
            "601234567-mama",
            "601234567 Nobody, 12",
            "601234567 Max 5",
            "601234567 x 5 Max",
            "601234567 (mama) Nobody",
            "Nobody 601234567 (mama)",
            "22 123 (Anna)",
            "601234567 (mama) (Nobody)",
            "telefon 601234567",
            "Order: 12345678",
            "Order: 601234567",
            "Nr zamówienia: 601234567",
            "nr zam.: 601234567",
            "Umowa nr: 601234567",
            "Rechnungsnr.: 601234567",
            "Tracking: 601234567",
            "PO: 601234567",
            "601234567@example.com",
            "ext. 12",
            "tel",
            "x",
            "(",
        ] {
            let asked = asked(other, Some("PL"));
            assert!(
                !asked.is_phone && !asked.forms.iter().any(|form| form.starts_with('+')),
                "{other}: {:?}",
                asked.forms
            );
        }
        for day in ["2026-03-31", "31.03.2026", "3/31/2026", "03/2026"] {
            assert!(!asked(day, Some("DE")).forms.iter().any(|form| form.starts_with('+')), "{day}");
        }
    }

    #[test]
    fn no_text_takes_long() {
        for text in [
            "1".repeat(1000),
            "1 ".repeat(500),
            "1,".repeat(500),
            "601234567 ".repeat(100),
            "(1)".repeat(333),
            "+1".repeat(500),
            "a1".repeat(500),
        ] {
            assert!(normal_phones(&text, Some("DE")).len() <= MAX_NUMBERS + 1, "{}", &text[..10]);
        }
        assert!(normal_phones(&"1".repeat(1 << 20), Some("DE")).is_empty());
    }

    #[test]
    fn phones_among_words() {
        let among = |text: &'static str| phones_among(text, Some("TW"));
        let number = || vec!["+886912345678".to_owned()];
        assert_eq!(among("Tsai 0912-345-678"), [(vec!["0912-345-678"], number())]);
        assert_eq!(among("Tsai, 0912-345-678, Taipei"), [(vec!["0912-345-678"], number())]);
        assert_eq!(among("0912 345 678 Tsai"), [(vec!["0912", "345", "678"], number())]);
        let twice = [(vec!["0912345678"], number()), (vec!["+886912345678"], number())];
        assert_eq!(among("0912345678 +886912345678 Tsai"), twice);
        assert_eq!(among("0912 345 678 12345 Tsai"), [(vec!["0912", "345", "678"], number())]);
        assert_eq!(among("12 0912345678 Tsai"), [(vec!["0912345678"], number())]);
        assert_eq!(among("Tsai 5678"), []);
        assert_eq!(among(""), []);
    }
}
