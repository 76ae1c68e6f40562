//! Phone numbers in the form that look-ups compare: E.164 by the owner's country.
//!
//! A stored text is kept as the numbers in it ([`normal_phones`]). A text to find is looked up as
//! the same numbers, and as what else its digits may mean ([`phones_to_find`]). Both read the text
//! with [`Reading`].
//!
//! What libphonenumber calls valid is a number. What it calls possible is one only if nothing in
//! the text is valid. A text that is not a number is kept as it is written, so that two different
//! texts have no form in common.

use super::number::{ascii_digits, count_digits, plain_number, with_code};
use super::pieces::{is_of_phone, trimmed};
use super::reader::PIECES;
use super::reading::Reading;

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

/// What a phone is stored as: each number in the text in E.164; the digits of a text that is no
/// number and has nothing else (a short code, an internal extension); and any other text that is
/// not all read as numbers also as it is written. An extension dialled after the number is not part
/// of the form.
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

/// The forms that a phone is looked up by, best first: all that it may be stored as, and what else
/// its digits may mean.
pub fn phones_to_find(text: &str, country: Option<&str>) -> Vec<String> {
    if is_too_long(text) {
        return Vec::new();
    }
    let plain = plain_number(text);
    let reading = Reading::of(&plain, country);
    forms_to_find(&reading, reading.written(&plain), country)
}

/// All that a text may be stored as (`written`: as it is written), and what else its digits may
/// mean.
fn forms_to_find(reading: &Reading, written: Option<String>, country: Option<&str>) -> Vec<String> {
    let kept = reading.bare.iter().cloned().chain(written);
    distinct(reading.to_find(country).into_iter().chain(kept).chain(callers(reading, country)))
}

/// The forms that a search looks up. If the text is phone numbers with nothing but labels,
/// separators and notes, these are the same as of [`phones_to_find`]; any other text with a digit
/// is looked up only as it is written.
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

/// The numbers that digits without `+` are with the code of a country, as a caller's number is
/// shown. Only for an owner without a country.
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

/// The phone numbers among other words: each as it stands there, which may be in several words, and
/// what it is looked up as.
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
    let is_of_phone = |piece: &str| super::pieces::is_of_phone(&plain_number(piece));
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
    use super::super::examples::{ODD, STORED};
    use super::super::number::plainly_one;
    use super::super::reader::MAX_NUMBERS;
    use super::*;

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

    /// What says that it is no phone is not looked up as one, by whichever function, and is not the
    /// same as the phone.
    #[test]
    fn digits_with_another_name_are_no_phone() {
        for text in [
            "S/N: 601234567",
            "Serial: 601234567",
            "serial no. 601234567",
            "order no.: 601234567",
            "Order: 601234567",
            "nr zamówienia 601234567",
            "Rechnungsnummer: 601234567",
            "IMEI: 601234567",
        ] {
            let phone = "+48601234567".to_owned();
            assert!(!normal_phones(text, Some("PL")).contains(&phone), "{text}");
            assert!(!phones_to_find(text, Some("PL")).contains(&phone), "{text}");
            assert!(!asked(text, Some("PL")).forms.contains(&phone), "{text}");
            assert_ne!(unique_phone(text, Some("PL")), unique_phone("601234567", Some("PL")), "{text}");
        }
        // Only the digits directly behind such words.
        for text in ["S/N: 123456789; tel. 601234567", "order by phone 601234567", "zamówienie, tel: 601234567"] {
            assert!(phones_to_find(text, Some("PL")).contains(&"+48601234567".to_owned()), "{text}");
        }
    }

    /// A number of an earlier plan and the one that replaced it are one, whichever is stored.
    #[test]
    fn numbers_of_earlier_plans() {
        for (country, old, new) in [
            ("VN", "0162 123 4567", "032 123 4567"),
            ("VN", "0120 123 4567", "+84 70 123 4567"),
            ("VN", "+84 123 123 4567", "083 123 4567"),
            ("VN", "01881234567", "0581234567"),
            ("VN", "0199.123.4567", "059.123.4567"),
            ("PL", "841991234567", "+84591234567"),
            ("CO", "(1) 234 5678", "(601) 234 5678"),
            ("CO", "+57 4 234 5678", "604 2345678"),
            ("CO", "031 2345678", "6012345678"),
            ("CI", "07 12 34 56", "07 07 12 34 56"),
            ("CI", "+225 45 12 34 56", "05 45 12 34 56"),
            ("CI", "02 12 34 56", "+2250102123456"),
            ("CI", "22 41 12 34", "27 22 41 12 34"),
            ("CI", "20 00 12 34", "25 20 00 12 34"),
            ("CM", "77 12 34 56", "6 77 12 34 56"),
            ("CM", "22 23 12 34", "222 23 12 34"),
            ("CM", "33 42 12 34", "243 42 12 34"),
            ("EG", "010 123 4567", "0100 123 4567"),
            ("MU", "712 3456", "5712 3456"),
        ] {
            let forms = |text: &str| normal_phones(text, Some(country));
            assert_eq!(forms(old), forms(new), "{country} {old}");
            assert!(forms(new)[0].starts_with('+'), "{country} {new}");
            assert!(phones_to_find(old, Some(country)).contains(&forms(new)[0]), "{country} {old}");
            assert!(phones_to_find(new, Some(country)).contains(&forms(old)[0]), "{country} {old}");
            assert_eq!(unique_phone(old, Some(country)), unique_phone(new, Some(country)), "{country} {old}");
        }
    }

    /// Whatever stands in a phone is found when it is asked for as it is stored.
    #[test]
    fn what_is_stored_is_found() {
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
        let kept: Vec<&str> = STORED.iter().map(|(_, text, _)| *text).chain(ODD.iter().copied()).collect();
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
            // One number of an earlier plan is not two of today.
            ("VN", &["0162 123 4567", "0163 123 4567", "0120 123 4567", "016 2123 456"]),
            ("CO", &["(1) 2345678", "(2) 2345678", "2345678", "300 234 5678"]),
            ("CI", &["07 12 34 56", "05 12 34 56", "01 12 34 56", "22 41 12 34", "47 12 34 56"]),
            ("CM", &["77 12 34 56", "97 12 34 56", "22 23 12 34", "33 23 12 34"]),
            ("EG", &["010 123 4567", "016 123 4567", "0150 123 4567", "0120 123 4567"]),
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
            "telefon 601234567",
            "m. 601234567",
            "M 601 234 567",
            "kom. 601 234 567",
            "tel 601234567",
            "mobile 601234567",
            "tel. kom. 601234567",
            "nr telefonu 601234567",
            "Phone No.: 601234567",
            "work phone: 601234567",
            "601 234 567 kom.",
            "h323:601234567@gw.example",
            "zoomphonecall://+48601234567",
            "601234567#",
            "Customer: 601234567",
        ] {
            let asked = asked(phone, Some("PL"));
            assert!(asked.is_phone && asked.forms == ["+48601234567"], "{phone}: {:?}", asked.forms);
        }
    }

    #[test]
    fn a_phone_and_something_else() {
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
            "Order: 12345678",
            "Order: 601234567",
            "Nr zamówienia: 601234567",
            "nr zam.: 601234567",
            "Umowa nr: 601234567",
            "Rechnungsnr.: 601234567",
            "Tracking: 601234567",
            "S/N: 601234567",
            "S/N 601234567",
            "SN 601234567",
            "P/N: 601234567",
            "Serial: 601234567",
            "serial number 601234567",
            "serial no. 601234567",
            "order no. 601234567",
            "order no.: 601234567",
            "Order #601234567",
            "numer seryjny: 601234567",
            "nr klienta: 601234567",
            "Customer no. 601234567",
            "Kundennummer 601234567",
            "Artikelnr. 601234567",
            "заказ № 601234567",
            "訂單編號：601234567",
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
            "a 1 ".repeat(250),
            format!("22 123 45 67{}", "~68".repeat(300)),
            format!("22 123 45 67{}", "/68".repeat(300)),
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
