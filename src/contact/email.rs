//! E-mail addresses in the form that look-ups compare: lower case, the domain in Unicode.

use super::plain::plain;
use crate::text::without_invisible;
use std::borrow::Cow;

/// Longer texts are not e-mail addresses: RFC 5321 allows 254 characters. The limit is for the text
/// as typed, before it is normalised.
const MAX_EMAIL_CHARACTERS: usize = 320;

/// Characters that people and programs put around an address when they quote it.
const AROUND: [(char, char); 14] = [
    ('<', '>'),
    ('(', ')'),
    ('[', ']'),
    ('{', '}'),
    ('"', '"'),
    ('\'', '\''),
    ('“', '”'),
    ('‘', '’'),
    ('„', '“'),
    ('„', '”'),
    ('«', '»'),
    ('`', '`'),
    ('*', '*'),
    ('_', '_'),
];

/// An e-mail address without the differences that do not count: case, width and invisible
/// characters; whether its domain is written in Unicode or in punycode; what stands around it, as
/// in `Jan <jan@example.com>`, `mailto:jan@example.com?subject=x`, `E-mail: jan@example.com.` and
/// `Jan Kowalski jan@example.com`. Local parts are compared exactly but for case: some providers
/// take `j.an` and `jan+news` for `jan`, most do not.
///
/// A text with no address, or with several, is only trimmed. None if the text is empty, or too long
/// for an address.
pub fn normal_email(text: &str) -> Option<String> {
    if is_too_long(text) {
        return None;
    }
    let text = plain(text);
    let text = text.trim();
    let address = one_address(text).map(|among| among.address);
    address.or_else(|| Some(lower_case(text)).filter(|text| !text.is_empty()))
}

/// The one address in a text.
pub struct EmailAmong {
    /// In normal form.
    pub address: String,
    /// The words beside it that do not just say that an address follows.
    pub beside: String,
}

/// The address in a text, and the words beside it.
pub fn email_among(text: &str) -> Option<EmailAmong> {
    if is_too_long(text) { None } else { one_address(plain(text).trim()) }
}

fn one_address(text: &str) -> Option<EmailAmong> {
    let text = without_percent_signs(text);
    let normal = |(local, domain): (&str, &str)| format!("{}@{}", lower_case(local), normal_domain(domain));
    if let Some(address) = address_in(&text) {
        return Some(EmailAmong { address: normal(address), beside: String::new() });
    }
    let mut addresses = addresses_among(&text)?.into_iter().map(normal);
    let address = addresses.next()?;
    let is_one = addresses.all(|other| other == address);
    is_one.then(|| EmailAmong { address, beside: words_beside(&text) })
}

fn is_too_long(text: &str) -> bool {
    text.trim().chars().nth(MAX_EMAIL_CHARACTERS).is_some()
}

/// The address that a text is, without what programs put around it: `jan@example.com` of `Jan
/// <jan@example.com>`. A text with nothing around it is returned as it is.
pub fn bare_email(text: &str) -> Option<Cow<'_, str>> {
    if is_too_long(text) {
        return None;
    }
    let seen = plain(text);
    let readable = without_percent_signs(seen.trim());
    let (local, domain) = address_in(&readable)?;
    let address = format!("{local}@{domain}");
    Some(if address == seen.trim() { text.into() } else { address.into() })
}

/// A part of an address, with its domain in normal form.
pub fn with_readable_domain(text: &str) -> Cow<'_, str> {
    if !has_punycode(text) {
        return Cow::Borrowed(text);
    }
    let (before, domain) = text.split_at(text.rfind('@').map_or(0, |at| at + 1));
    Cow::Owned(format!("{before}{}", normal_domain(domain)))
}

fn lower_case(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// The text with what its percent signs stand for, if it is an address in a link:
/// `jan%40example.com`.
fn without_percent_signs(text: &str) -> Cow<'_, str> {
    let is_encoded = text.contains("%40") && !text.contains('@') || text.contains('%') && begins_with_mailto(text);
    if !is_encoded {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let written = if *first == b'%' { behind.split_at_checked(2) } else { None };
        let byte = written.and_then(|(digits, _)| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        match written.zip(byte) {
            Some(((_, behind), byte)) => {
                bytes.push(byte);
                rest = behind;
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
}

fn begins_with_mailto(text: &str) -> bool {
    text.get(..7).is_some_and(|begins| begins.eq_ignore_ascii_case("mailto:"))
}

/// Local parts and domains of the addresses among words. None if a word has an `@` and is no
/// address.
fn addresses_among(text: &str) -> Option<Vec<(&str, &str)>> {
    let is_beside = |character: char| matches!(character, '.' | '!' | '?' | '\'' | '*' | '_' | '=' | '/');
    let words = text.split(separates_addresses).filter(|word| may_be_address(word));
    let address = |word: &'_ str| -> Option<(usize, usize)> {
        let at = word.find('@')?;
        let domain = word.get(at + 1..)?;
        let is_domain = domain.contains('.') && !domain.contains(['@', '/', '?', '=', '&']) && !domain.starts_with('.');
        let is_local = at > 0 && !word.get(..at)?.contains('/');
        (is_domain && is_local).then_some((at, at + 1))
    };
    let parted = words.map(|word| {
        let word = if word.starts_with("//") { word } else { word.trim_matches(is_beside) };
        let (end, start) = address(word)?;
        Some((word.get(..end)?, word.get(start..)?))
    });
    parted.collect()
}

/// The words beside an address, without those that say that an address follows.
fn words_beside(text: &str) -> String {
    /// In lower case, also of links in HTML.
    const LABELS: &str = "\
        e mail email e-mail mailto smtp address adres adresse adresa adresu dirección indirizzo endereço kontakt contact contacto \
        contatto correo correio courriel mél mejl poczta pošta elektroniczny to a href html почта эл адрес пошта 邮箱 信箱 電子郵件 メール \
        이메일 อีเมล";
    let is_label = |word: &str| LABELS.split(' ').any(|label| label == word.to_lowercase());
    let words = text.split(separates_addresses).filter(|word| !may_be_address(word));
    let words = words.filter(|word| !is_label(word.trim_matches(|letter: char| !letter.is_alphabetic())));
    words.collect::<Vec<&str>>().join(" ")
}

fn separates_addresses(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, '<' | '>' | '(' | ')' | '[' | ']' | '{' | '}' | ',' | ';' | ':' | '|' | '"' | '`')
        || AROUND.iter().any(|(open, close)| !open.is_ascii() && (character == *open || character == *close))
}

/// Whether a word has an `@` that makes it no name in a messenger, as `@jan` is.
fn may_be_address(word: &str) -> bool {
    word.contains('@') && !word.starts_with('@')
}

/// Local part and domain, if the text is one address.
fn address_in(text: &str) -> Option<(&str, &str)> {
    let mut address = text;
    // There may be several layers: `E-mail: <mailto:jan@example.com>`.
    loop {
        let inner = inside(without_note(without_label(between_angles(target_of_link(address)))));
        if inner.len() == address.len() {
            break;
        }
        address = inner;
    }
    let (local, domain) = address.rsplit_once('@')?;
    let domain = domain.trim_end_matches('.');
    let is_address = !local.is_empty() && !domain.is_empty() && !address.contains(char::is_whitespace);
    is_address.then_some((local, domain))
}

/// `mailto:jan@example.com` of `[Jan](mailto:jan@example.com)`, as Markdown has it.
fn target_of_link(text: &str) -> &str {
    let link = text.strip_prefix('[').and_then(|text| text.strip_suffix(')')).and_then(|text| text.split_once("]("));
    match link {
        Some((_, target)) if target.contains('@') && !target.contains(['[', '(', ')']) => {
            target.split_once(' ').map_or(target, |(target, _)| target)
        }
        _ => text,
    }
}

/// `jan@example.com` of `Jan Kowalski <jan@example.com>` and of
/// `<mailto:jan@example.com|jan@example.com>`.
fn between_angles(text: &str) -> &str {
    let address = text.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    match address {
        Some((address, rest)) if address.contains('@') && !address.contains('<') && !rest.contains('@') => {
            address.split_once('|').map_or(address, |(address, _)| address).trim()
        }
        _ => text,
    }
}

/// `jan@example.com` of `mailto:jan@example.com?subject=Hello` and of `E-mail: jan@example.com`.
fn without_label(text: &str) -> &str {
    let Some((label, rest)) = text.split_once(':') else {
        return text;
    };
    let rest = rest.trim();
    let is_of_label = |character: char| character.is_alphanumeric() || matches!(character, ' ' | '-' | '.' | '(' | ')');
    let rest = if label.eq_ignore_ascii_case("mailto") { rest.trim_start_matches('/') } else { rest };
    let is_label = label.starts_with(char::is_alphabetic) && label.chars().all(is_of_label);
    if !is_label || !rest.contains('@') || rest.starts_with('/') {
        return text;
    }
    match rest.split_once('?') {
        Some((address, _)) if label.trim().eq_ignore_ascii_case("mailto") => address,
        _ => rest,
    }
}

/// `jan@example.com` of `jan@example.com (work)`.
fn without_note(text: &str) -> &str {
    let note = text.strip_suffix(')').and_then(|text| text.split_once(" ("));
    match note {
        Some((address, note)) if address.contains('@') && !note.contains(['@', '(', ')']) => address.trim(),
        _ => text,
    }
}

/// The text without the brackets, quotation marks and punctuation around it.
fn inside(text: &str) -> &str {
    let text = text.trim_start_matches([',', ';', ' ']);
    let text = text.trim_end_matches([',', ';', '.', ':', '!', '?', ' ']);
    let around = AROUND.iter().find_map(|(open, close)| text.strip_prefix(*open)?.strip_suffix(*close));
    // One that was copied alone.
    let alone = || match text.strip_prefix('<').or_else(|| text.strip_suffix('>')) {
        Some(rest) if rest.contains('@') && !rest.contains(['<', '>']) => rest,
        _ => text,
    };
    around.map_or_else(alone, str::trim)
}

fn has_punycode(text: &str) -> bool {
    text.as_bytes().windows(4).any(|four| four.eq_ignore_ascii_case(b"xn--"))
}

/// A domain in Unicode, by UTS 46. What cannot be a domain stays as it is, in lower case.
fn normal_domain(domain: &str) -> String {
    if domain.is_ascii() && !has_punycode(domain) {
        return domain.to_ascii_lowercase();
    }
    match idna::domain_to_unicode(domain) {
        (readable, Ok(())) => without_invisible(&readable).into_owned(),
        _ => lower_case(domain),
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    const SPELLINGS: &[(&str, &[&str])] = &[
        (
            "jan.kowalski@example.com",
            &[
                "jan.kowalski@example.com",
                " Jan.Kowalski@Example.COM ",
                "ｊａｎ．ｋｏｗａｌｓｋｉ＠ｅｘａｍｐｌｅ．ｃｏｍ",
                "jan.kowalski@example.com.",
                "\u{FEFF}jan.\u{AD}kowalski@\u{200B}example.com\u{202C}",
                "mailto:jan.kowalski@example.com",
                "MAILTO:jan.kowalski@example.com?subject=Hello%20you&cc=anna@example.com",
                "<jan.kowalski@example.com>",
                "<mailto:jan.kowalski@example.com>",
                "Jan Kowalski <jan.kowalski@example.com>",
                "\"Kowalski, Jan\" <Jan.Kowalski@example.com>,",
                "Jan Kowalski <mailto:jan.kowalski@example.com>",
                "jan.kowalski@example.com <jan.kowalski@example.com>",
                "'jan.kowalski@example.com'",
                "\"jan.kowalski@example.com\"",
                "“jan.kowalski@example.com”",
                "(jan.kowalski@example.com)",
                "[jan.kowalski@example.com];",
                "jan.kowalski@example.com,",
                "; jan.kowalski@example.com ;",
                "E-mail: jan.kowalski@example.com",
                "adres e-mail: <jan.kowalski@example.com>.",
                "SMTP:jan.kowalski@example.com",
                "jan.kowalski@example.com (praca)",
                "«jan.kowalski@example.com»",
                "„jan.kowalski@example.com”",
                "<jan.kowalski@example.com",
                "jan.kowalski@example.com>",
                "email1: jan.kowalski@example.com",
                "E-mail 2: jan.kowalski@example.com",
                "Adres e-mail (praca): jan.kowalski@example.com",
                "mailto://jan.kowalski@example.com",
                // In links, and behind words without a colon.
                "jan.kowalski%40example.com",
                "mailto:jan.kowalski%40example.com?subject=Hello%20you",
                "mailto:jan%2Ekowalski@example.com",
                "[Jan Kowalski](mailto:jan.kowalski@example.com)",
                "[jan.kowalski@example.com](mailto:jan.kowalski@example.com)",
                "[Jan](mailto:jan.kowalski%40example.com \"write\")",
                "<mailto:jan.kowalski@example.com|jan.kowalski@example.com>",
                "<a href=\"mailto:jan.kowalski@example.com\">jan.kowalski@example.com</a>",
                "Email jan.kowalski@example.com",
                "Jan Kowalski jan.kowalski@example.com",
                "jan.kowalski@example.com Jan Kowalski",
                "proszę pisać na adres jan.kowalski@example.com.",
                "**jan.kowalski@example.com**",
                "`jan.kowalski@example.com`",
                "Jan Kowalski (jan.kowalski@example.com), @jan",
                "jan.kowalski@example.com / JAN.KOWALSKI@example.com",
            ],
        ),
        (
            "info@bücher.example",
            &[
                "info@bücher.example",
                "info@BÜCHER.example",
                "info@bu\u{308}cher.example",
                "info@xn--bcher-kva.example",
                "INFO@XN--BCHER-KVA.Example.",
                "mailto:info@xn--bcher-kva.example",
            ],
        ),
        ("蔡@例子.台灣", &["蔡@例子.台灣", "蔡@xn--fsqu00a.xn--kpry57d", "蔡＠例子。台灣"]),
        ("a@straße.example", &["a@straße.example", "a@xn--strae-oqa.example"]),
        ("a@[192.0.2.1]", &["a@[192.0.2.1]", "(a@[192.0.2.1])"]),
        ("\"john doe\"@example.com", &["\"John Doe\"@example.com"]),
        ("a@b_c.example", &["A@b_c.example"]),
    ];

    #[test]
    fn one_address_in_many_spellings() {
        for (address, spellings) in SPELLINGS {
            for text in *spellings {
                assert_eq!(normal_email(text).as_deref(), Some(*address), "{text}");
            }
        }
    }

    /// No two of these are the same, nor another than themselves.
    #[test]
    fn what_counts() {
        for text in [
            "a.b@gmail.com",
            "ab@gmail.com",
            "ab+news@gmail.com",
            "a-b@gmail.com",
            "a_b@gmail.com",
            "ab@googlemail.com",
            "ab@mail.gmail.com",
            "a@strasse.example",
            "a@straße.example",
            "ä@example.com",
            "a@example.com",
            "ae@example.com",
            "o'neil@example.com",
            "oneil@example.com",
            "{a}@example.com",
            "a@xn--.example",
            "a@xn--zzzzzzzzzz-.example",
            "1@example.com",
            "a@b@example.com",
            "a@x.pl b@x.pl",
            "a@x.pl, b@x.pl",
            "anna <a@x.pl>, bob <b@x.pl>",
            "https://user@example.com",
            "see https://user@example.com/a",
            "a@x.pl or b@x.pl",
            "a@x.pl https://user@example.com",
            "jan a@x",
            "50% a%20b",
            "user%40a@example.com",
            "mailto:",
            "<>",
            "none",
            "a@",
            "@a",
            "@",
            "-",
        ] {
            assert_eq!(normal_email(text).as_deref(), Some(text));
        }
        assert_eq!(bare_email(&format!("{}a@b{}", "(".repeat(1 << 20), ")".repeat(1 << 20))), None);
        for nothing in ["", " ", "\u{200B}", " \u{3164}\u{FE0F} ", &"x".repeat(321)] {
            assert_eq!(normal_email(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn normal_forms_are_normal() {
        for text in [
            "Jan <JAN@x.pl>",
            "a@xn--bcher-kva.example",
            "(a@b.)",
            "mailto:a@b?c",
            "'''a@b'''",
            "<<<<<<a@b>>>>>>",
            "a:b:c:d:e:f@g",
            "a%40b.example",
            "%61%40b%2540c",
            "[a](mailto:b%40c)",
            "a b@c.example",
        ] {
            let once = normal_email(text);
            assert_eq!(once.as_deref().and_then(normal_email), once, "{text}");
        }
    }

    #[test]
    fn words_beside_an_address() {
        for (text, beside) in [
            ("jan@x.pl", Some("")),
            ("Jan Kowalski <jan@x.pl>", Some("")),
            ("e-mail jan@x.pl", Some("")),
            ("Adres e-mail: jan@x.pl.", Some("")),
            ("Kontakt jan@x.pl", Some("")),
            ("Jan Kowalski jan@x.pl", Some("jan kowalski")),
            ("jan@x.pl, Jan", Some("jan")),
            ("jan@x.pl anna@x.pl", None),
            ("jan", None),
        ] {
            let among = email_among(text).map(|among| among.beside.to_lowercase());
            let among = among.map(|beside| beside.split_whitespace().collect::<Vec<_>>().join(" "));
            assert_eq!(among.as_deref(), beside, "{text}");
        }
    }

    #[test]
    fn parts_with_a_readable_domain() {
        for (part, readable) in [
            ("@xn--bcher-kva.example", "@bücher.example"),
            ("fo@xn--bcher-kva", "fo@bücher"),
            ("XN--bcher-kva.example", "bücher.example"),
            ("gmail.com", "gmail.com"),
        ] {
            assert_eq!(with_readable_domain(part), readable);
        }
    }
}
