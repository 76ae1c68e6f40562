//! The types of fields: what a value may be, the form in which it is stored, and which values count
//! as the same.

use crate::contact;
use crate::text::{as_seen, without_invisible};
use jiff::{Timestamp, civil};
use std::borrow::Cow;

/// The type of a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Type {
    Text,
    Number,
    Boolean,
    Date,
    Time,
    Datetime,
    Choice,
    Choices,
    Phone,
    Email,
}

const TYPES: [(Type, &str, &str); 10] = [
    (Type::Text, "text", "a JSON string"),
    (Type::Number, "number", "a JSON number"),
    (Type::Boolean, "boolean", "true or false"),
    (Type::Date, "date", "a date in ISO 8601, as \"2026-03-31\""),
    (Type::Time, "time", "a time in ISO 8601, as \"09:30\" or \"09:30:15.5\""),
    (Type::Datetime, "datetime", "a date, time and offset in ISO 8601, as \"2026-03-31T09:30:00+08:00\""),
    (Type::Choice, "choice", "a JSON string"),
    (Type::Choices, "choices", "a JSON array of strings"),
    (Type::Phone, "phone", "a phone number, as a JSON string"),
    (Type::Email, "email", "an e-mail address, as a JSON string"),
];

impl Type {
    /// The type of that name, if there is one.
    pub fn named(name: &str) -> Option<Type> {
        TYPES.iter().find(|(_, known, _)| *known == name).map(|(kind, ..)| *kind)
    }

    /// Its name, as in `field.type`.
    pub fn name(self) -> &'static str {
        TYPES.iter().find(|(kind, ..)| *kind == self).map_or("", |(_, name, _)| name)
    }

    /// What a value of the type is, for the hint of an error.
    pub fn expected(self) -> &'static str {
        TYPES.iter().find(|(kind, ..)| *kind == self).map_or("", |(.., expected)| expected)
    }

    /// The form in which a text is stored as a value of the type. None if it is no value of the
    /// type. For a choice every text passes: its options are not known here.
    pub fn stored_form(self, text: &str) -> Option<Cow<'_, str>> {
        match self {
            Type::Date => date(text).map(|date| date.to_string().into()),
            Type::Time => time(text).map(|time| time.to_string().into()),
            Type::Datetime => datetime(text).map(|moment| moment.to_string().into()),
            Type::Phone => contact::is_phone(text).then_some(text.into()),
            Type::Email => contact::bare_email(text).filter(|address| is_email(address)),
            _ => Some(text.into()),
        }
    }

    /// The form of a stored text in which two values are the same: as it is seen, case as
    /// typed; phones and e-mails in the form that look-ups compare. None for a text that shows
    /// nothing, which is no value.
    pub fn unique_form(self, text: &str, country: Option<&str>) -> Option<String> {
        match self {
            Type::Phone => contact::unique_phone(text, country),
            Type::Email => contact::normal_email(text),
            _ => Some(as_seen(text)).filter(|seen| !seen.is_empty()),
        }
    }
}

/// `2026-03-31`, of the years 1 to 9999.
pub fn date(text: &str) -> Option<civil::Date> {
    if !is_formed(text, "0000-00-00") {
        return None;
    }
    text.parse::<civil::Date>().ok().filter(|date| date.year() >= 1)
}

/// `09:30`, `09:30:15`, or with up to six digits of a second.
pub fn time(text: &str) -> Option<civil::Time> {
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, rest)| (whole, Some(rest)));
    let formed = match fraction {
        None => is_formed(whole, "00:00") || is_formed(whole, "00:00:00"),
        Some(digits) => {
            is_formed(whole, "00:00:00")
                && (1..=6).contains(&digits.len())
                && digits.bytes().all(|b| b.is_ascii_digit())
        }
    };
    // A leap second would be read as the second before.
    let leap = whole.get(6..).is_some_and(|seconds| seconds == "60");
    if !formed || leap {
        return None;
    }
    text.parse().ok()
}

/// A date and a time with their offset from UTC, `Z` or `+08:00`: without, it would depend on who
/// reads it.
pub fn datetime(text: &str) -> Option<Timestamp> {
    let (day, rest) = text.split_at_checked(10)?;
    let day = date(day)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (clock, offset) = rest.split_at_checked(rest.find(['Z', 'z', '+', '-'])?)?;
    let clock = time(clock)?;
    let minutes = if offset.eq_ignore_ascii_case("z") {
        0
    } else {
        let (sign, digits) = offset.split_at_checked(1)?;
        let formed = ["00", "00:00", "0000"].iter().any(|form| is_formed(digits, form));
        let hours: i32 = digits.get(..2).filter(|_| formed)?.parse().ok()?;
        let rest: i32 = digits.get(2..)?.trim_start_matches(':').parse().unwrap_or(0);
        if hours > 15 || rest > 59 {
            return None;
        }
        (60 * hours + rest) * if sign == "-" { -1 } else { 1 }
    };
    let offset = jiff::tz::Offset::from_seconds(60 * minutes).ok()?;
    let moment = offset.to_timestamp(day.to_datetime(clock)).ok()?;
    let year = jiff::tz::Offset::UTC.to_datetime(moment).year();
    (1..=9999).contains(&year).then_some(moment)
}

/// Whether a text has that form. In the form, `0` stands for any digit, and every other character
/// for itself.
fn is_formed(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text
            .bytes()
            .zip(form.bytes())
            .all(|(byte, form)| if form == b'0' { byte.is_ascii_digit() } else { byte == form })
}

/// Whether there is exactly one `@`, text on both sides of it, and nothing that separates
/// addresses. No check of the form tells whether mail arrives there.
fn is_email(text: &str) -> bool {
    let text = without_invisible(text);
    let text = text.trim();
    let separates = |c: char| c.is_whitespace() || c.is_control() || matches!(c, ',' | ';' | '<' | '>' | '"');
    contact::normal_email(text).is_some()
        && !text.contains(separates)
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && !domain.is_empty()
                && !domain.contains('@')
                && !domain.starts_with('.')
                && !domain.ends_with('.')
        })
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    fn stored(kind: Type, text: &str) -> Option<String> {
        kind.stored_form(text).map(Cow::into_owned)
    }

    #[test]
    fn types_have_their_names() {
        for (kind, name, _) in TYPES {
            assert_eq!((Type::named(name), kind.name()), (Some(kind), name));
        }
        assert_eq!(Type::named("colour"), None);
    }

    #[test]
    fn dates() {
        for good in ["2026-03-31", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"] {
            assert_eq!(stored(Type::Date, good).as_deref(), Some(good));
        }
        for bad in [
            "",
            "2026-02-29",
            "1900-02-29",
            "2026-02-30",
            "2026-13-01",
            "2026-00-10",
            "2026-04-31",
            "0000-01-01",
            "-001-01-01",
            "2026-3-1",
            "20260331",
            "31.03.2026",
            "03/31/2026",
            "2026-03-31 ",
            "2026-03-31T00:00",
            "today",
            "infinity",
            "２０２６-03-31",
            "+12026-01-01",
        ] {
            assert_eq!(stored(Type::Date, bad), None, "{bad}");
        }
    }

    #[test]
    fn times() {
        for (text, form) in [
            ("09:30", "09:30:00"),
            ("00:00:00", "00:00:00"),
            ("23:59:59.999999", "23:59:59.999999"),
            ("09:30:15.500", "09:30:15.5"),
        ] {
            assert_eq!(stored(Type::Time, text).as_deref(), Some(form), "{text}");
        }
        for bad in [
            "",
            "9:30",
            "24:00",
            "09:60",
            "09:30:60",
            "09:30:15.",
            "09:30:15.1234567",
            "09:30.5",
            "0930",
            "09:30Z",
            "now",
            "9:30 pm",
        ] {
            assert_eq!(stored(Type::Time, bad), None, "{bad}");
        }
    }

    #[test]
    fn moments() {
        for (text, form) in [
            ("2026-03-31T09:30:00+08:00", "2026-03-31T01:30:00Z"),
            ("2026-03-31 09:30Z", "2026-03-31T09:30:00Z"),
            ("2026-03-31t09:30:15.25z", "2026-03-31T09:30:15.25Z"),
            ("2026-01-01T00:30+0545", "2025-12-31T18:45:00Z"),
            ("2026-01-01T00:30-05", "2026-01-01T05:30:00Z"),
        ] {
            assert_eq!(stored(Type::Datetime, text).as_deref(), Some(form), "{text}");
        }
        for bad in [
            "",
            "2026-03-31",
            "2026-03-31T09:30",
            "2026-03-31T09:30:00",
            "2026-03-31T09:30:00+8",
            "2026-03-31T09:30:00+16:00",
            "2026-03-31T09:30:00+08:60",
            "2026-02-30T09:30Z",
            "2026-03-31T25:00Z",
            "2026-03-31T09:30:60Z",
            "0001-01-01T00:00+08:00",
            "9999-12-31T23:59-08:00",
            "2026-03-31T09:30:00Z[Asia/Taipei]",
            "2026-03-31T09:30:00 Asia/Taipei",
            "now",
            "é026-03-31T09:30Z",
        ] {
            assert_eq!(stored(Type::Datetime, bad), None, "{bad}");
        }
    }

    #[test]
    fn phones_and_addresses_are_kept_as_typed() {
        for good in ["0912-345-678", "٠١٠٠١٢٣٤٥٦٧", "601234567/602345678 (24h)", "1-800-CONTACTS"] {
            assert_eq!(stored(Type::Phone, good).as_deref(), Some(good));
        }
        for bad in ["", "none", "---"] {
            assert_eq!(stored(Type::Phone, bad), None, "{bad}");
        }
        for good in ["Tsai.ML@Example.com", "a@b", "蔡@例子.台灣", "o'neil+x@example.org", "\u{200B}a@b\u{202C}"] {
            assert_eq!(stored(Type::Email, good).as_deref(), Some(good));
        }
        // What stands around an address is left out.
        for around in
            ["Jan <A@b>", "<A@b>", "mailto:A@b", "A@b.", "E-mail: A@b", "[Jan](mailto:A@b)", "A%40b", "\"A@b\","]
        {
            assert_eq!(stored(Type::Email, around).as_deref(), Some("A@b"), "{around}");
        }
        for bad in [
            "",
            "@",
            "a@",
            "@b",
            "a@b@c",
            "a b@c.d",
            "Jan a@b.example",
            "a@.b",
            "a@b,c@d",
            "A <a@b>, C <c@d>",
            "\u{200B}@b",
            "a@\u{3164}",
            &format!("{}@b", "x".repeat(320)),
        ] {
            assert_eq!(stored(Type::Email, bad), None, "{bad}");
        }
    }

    #[test]
    fn which_values_are_the_same() {
        let same = |kind: Type, text: &str| kind.unique_form(text, Some("TW"));
        assert_eq!(same(Type::Text, "  Z\u{65}\u{301} 1 "), Some("Z\u{e9} 1".into()));
        assert_ne!(same(Type::Text, "a"), same(Type::Text, "A"));
        assert_eq!(same(Type::Text, " \u{a0}\t"), None);
        assert_eq!(same(Type::Phone, "0912-345-678"), same(Type::Phone, "+886 912 345 678"));
        assert_eq!(same(Type::Phone, "0912-345-678"), same(Type::Phone, "\u{202A}0912\u{200B}345678 (mama)"));
        assert_ne!(same(Type::Phone, "1-800-CONTACTS"), same(Type::Phone, "1-800-SOMETHING"));
        assert_eq!(same(Type::Email, "A@Example.com"), same(Type::Email, "a@example.COM "));
        assert_eq!(same(Type::Email, "a@bücher.example"), same(Type::Email, "\u{200B}a@xn--bcher-kva.example."));
        for text in ["CT-1", "CT\u{200B}-1", "\u{FEFF}CT-1\u{202C}", "CT\u{AD}-1\u{FE0F}", " CT-1\u{3164} "] {
            assert_eq!(same(Type::Text, text).as_deref(), Some("CT-1"), "{text:?}");
        }
        assert_eq!(same(Type::Text, "\u{200B} \u{3164}"), None);
    }
}
