//! Numbers of numbering plans that have ended, as the numbers that replaced them.
//!
//! Customers' numbers are kept for years, and callers' numbers come in the plan of today. Each
//! entry turns different numbers into different ones, and only a number that no plan of today has
//! is turned: no two customers become one.

use super::parse::{parsed, valid};

/// A change of a numbering plan.
struct Change {
    country_code: i32,
    /// How many digits a number had behind the country code.
    digits: usize,
    /// What numbers began with, and what they begin with now.
    prefixes: &'static [(&'static str, &'static str)],
}

/// The sources:
/// - Mexico: IFT, numbering plan of 3 August 2019: no 1 behind +52, no 01, 044 and 045 before a
///   number.
/// - Benin: ARCEP Bénin, 30 November 2024: 01 before each number.
/// - Vietnam: Ministry of Information and Communications, from 15 September 2018: mobile numbers of
///   ten digits behind +84 have nine (the table as MobiFone, VinaPhone, Viettel, Vietnamobile and
///   Gmobile published it). The area codes that changed in 2017 are left out: most numbers with an
///   old one are mobile numbers today.
/// - Colombia: CRC, resolution 5826 of 2019, from 1 September 2021: 60 before the area code of a
///   landline.
/// - Cameroon: ART, communication of 6 October 2014 in the ITU Operational Bulletin, from 21
///   November 2014: 6 before mobile numbers, 2 before landlines; of these 33 became 243
///   (announcement of Camtel).
/// - Egypt: NTRA, 6 October 2011: one more digit in mobile numbers, by network. Those that began
///   with 015 are left out: another network has them today.
/// - Mauritius: ICTA, 1 September 2013: 5 before mobile numbers.
const CHANGES: [Change; 10] = [
    Change { country_code: 52, digits: 11, prefixes: &[("1", "")] },
    Change { country_code: 52, digits: 12, prefixes: &[("01", "")] },
    Change { country_code: 52, digits: 13, prefixes: &[("044", ""), ("045", "")] },
    Change { country_code: 229, digits: 8, prefixes: &[("", "01")] },
    Change {
        country_code: 84,
        digits: 10,
        prefixes: &[
            ("120", "70"),
            ("121", "79"),
            ("122", "77"),
            ("126", "76"),
            ("128", "78"),
            ("123", "83"),
            ("124", "84"),
            ("125", "85"),
            ("127", "81"),
            ("129", "82"),
            ("162", "32"),
            ("163", "33"),
            ("164", "34"),
            ("165", "35"),
            ("166", "36"),
            ("167", "37"),
            ("168", "38"),
            ("169", "39"),
            ("186", "56"),
            ("188", "58"),
            ("199", "59"),
        ],
    },
    Change { country_code: 57, digits: 8, prefixes: &[("", "60")] },
    Change { country_code: 237, digits: 8, prefixes: &[("22", "222"), ("33", "243"), ("", "6")] },
    Change {
        country_code: 20,
        digits: 9,
        prefixes: &[
            ("12", "122"),
            ("17", "127"),
            ("18", "128"),
            ("10", "100"),
            ("16", "106"),
            ("19", "109"),
            ("11", "111"),
            ("14", "114"),
        ],
    },
    Change { country_code: 230, digits: 7, prefixes: &[("", "5")] },
    // The prefix depends on the network: see ivorian().
    Change { country_code: IVORY_COAST, digits: 8, prefixes: &[] },
];

const BRAZIL: i32 = 55;
const IVORY_COAST: i32 = 225;

/// Whether numbers of a country, or a trunk prefix in them, may be those of an earlier plan.
pub(super) fn was_renumbered(country_code: i32) -> bool {
    country_code == BRAZIL || CHANGES.iter().any(|change| change.country_code == country_code)
}

/// The valid number that replaces one of an earlier numbering plan.
pub(super) fn renumbered(e164: &str) -> Option<String> {
    changed(e164).or_else(|| ivorian(e164)).or_else(|| brazilian(e164)).or_else(|| without_trunk_prefix(e164))
}

fn changed(e164: &str) -> Option<String> {
    let number = e164.strip_prefix('+')?;
    CHANGES.iter().find_map(|change| {
        let code = change.country_code.to_string();
        let number = number.strip_prefix(&code).filter(|number| number.len() == change.digits)?;
        let (rest, now) =
            change.prefixes.iter().find_map(|(before, now)| number.strip_prefix(before).map(|rest| (rest, now)))?;
        valid(&format!("+{code}{now}{rest}"))
    })
}

/// Côte d'Ivoire, ARTCI, 31 January 2021: two digits before each number, by the network that had
/// it. The network of a mobile number is told by its second digit (google/libphonenumber, issue
/// 1909), that of a landline by its third.
fn ivorian(e164: &str) -> Option<String> {
    let number = e164.strip_prefix("+225").filter(|number| number.len() == 8)?;
    let network = match *number.as_bytes() {
        [b'2', _, b'8', ..] => "21",
        [b'2' | b'3', _, b'0', ..] => "25",
        [b'2' | b'3', ..] => "27",
        [_, b'0'..=b'3', ..] => "01",
        [_, b'4'..=b'6', ..] => "05",
        _ => "07",
    };
    valid(&format!("+225{network}{number}"))
}

/// Brazil's ninth digit: Anatel, resolution 553 of 2010, in all areas since 6 November 2016.
fn brazilian(e164: &str) -> Option<String> {
    let (area, number) = e164.strip_prefix("+55")?.split_at_checked(2)?;
    if number.len() == 8 && number.starts_with(['6', '7', '8', '9']) {
        valid(&format!("+55{area}9{number}"))
    } else {
        None
    }
}

/// A trunk prefix 0 in a country that has none, or has none any more (Poland, Czechia, Portugal).
fn without_trunk_prefix(e164: &str) -> Option<String> {
    let code = parsed(e164, None)?.country_code.to_string();
    let number = e164.strip_prefix('+')?.strip_prefix(code.as_str())?.strip_prefix('0')?;
    valid(&format!("+{code}{}", number.trim_start_matches('0')))
}
