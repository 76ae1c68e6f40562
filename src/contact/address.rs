//! Phone numbers in addresses and links: `tel:`, `sip:`, `https://wa.me/`.

use std::borrow::Cow;

/// A text without its scheme and without the host of an address.
pub(super) struct Addressed<'a> {
    pub text: Cow<'a, str>,
    /// Whether the digits begin with the code of a country.
    pub is_international: bool,
}

/// WhatsApp's names of people are numbers with the code of a country.
const HOSTS_OF_PEOPLE: [&str; 3] = ["@c.us", "@s.whatsapp.net", "@whatsapp.net"];

/// Links that end with a number with the code of a country.
const LINKS: [&str; 21] = [
    "https://t.me/+",
    "https://t.me/%2b",
    "tg://resolve?phone=",
    "viber://chat?number=",
    "viber://add?number=",
    "viber://contact?number=",
    "https://wa.me/",
    "http://wa.me/",
    "wa.me/",
    "https://api.whatsapp.com/send?phone=",
    "https://api.whatsapp.com/send/?phone=",
    "https://web.whatsapp.com/send?phone=",
    "https://web.whatsapp.com/send/?phone=",
    "whatsapp://send?phone=",
    "whatsapp://send/?phone=",
    "https://signal.me/#p/",
    "sgnl://signal.me/#p/",
    "msteams:/l/call/0/0?users=4:",
    "msteams://teams.microsoft.com/l/call/0/0?users=4:",
    "https://teams.microsoft.com/l/call/0/0?users=4:",
    "4:+",
];

/// Schemes of addresses with a host behind the number, which is no part of it.
const SCHEMES_WITH_HOST: [&str; 6] = ["sip:", "sips:", "h323:", "h.323:", "iax:", "iax2:"];

/// Schemes in front of a number. RFC 3966 (`tel`), RFC 2806 (`fax`, `modem`), RFC 5724 (`sms`), and
/// those of telephone programs.
const SCHEMES: [&str; 28] = [
    "tel:",
    "telprompt:",
    "callto:",
    "dial:",
    "call:",
    "phone:",
    "fax:",
    "modem:",
    "skype:",
    "sms:",
    "smsto:",
    "mms:",
    "mmsto:",
    "whatsapp:",
    "facetime:",
    "facetime-audio:",
    "facetime-prompt:",
    "facetime-audio-prompt:",
    "imessage:",
    "viber:",
    "signal:",
    "zoomphonecall:",
    "zoomphonesms:",
    "ciscotel:",
    "ciscotelconf:",
    "webextel:",
    "wtai:",
    "rcapp:",
];

/// What may stand between a scheme and its number.
const BEHIND_SCHEME: [&str; 5] = ["//wp/mc;", "//r/call?number=", "//r/sms?number=", "//call?number=", "//"];

/// RFC 3966: only the extension of the parameters belongs to the number.
const PARAMETERS: [&str; 4] = [";phone-context=", ";isub=", ";postd=", "?"];

/// The text without its scheme (`tel:`, `sip:`) and without the host of an address. None for the
/// address of something else.
pub(super) fn addressed(text: &str) -> Option<Addressed<'_>> {
    let text = in_angles(text);
    if let Some(rest) = LINKS.iter().find_map(|link| behind(text, link)) {
        let rest = rest.trim_start_matches("%2B").trim_start_matches("%2b").trim_start_matches('+');
        let number = rest.get(..rest.find(['?', '&', '/', '#', ',']).unwrap_or(rest.len()))?;
        return is_number(number).then_some(Addressed { text: number.into(), is_international: true });
    }
    if let Some(person) = HOSTS_OF_PEOPLE.iter().find_map(|host| in_front(text, host)) {
        // After a colon comes the number of a device.
        let number = person.split([':', '.']).find(|part| is_number(part))?;
        return Some(Addressed { text: number.into(), is_international: !number.starts_with('+') });
    }
    if let Some(address) = SCHEMES_WITH_HOST.iter().find_map(|scheme| behind(text, scheme)) {
        let address = address.trim_start_matches('/');
        let number = address.get(..address.find(['@', ';', '?']).unwrap_or(address.len()))?;
        return Some(Addressed { text: readable(number), is_international: false });
    }
    if let Some(rest) = SCHEMES.iter().find_map(|scheme| behind(text, scheme)) {
        let rest = BEHIND_SCHEME.iter().find_map(|before| behind(rest, before)).unwrap_or(rest);
        let end = PARAMETERS.into_iter().filter_map(|parameter| rest.find(parameter)).min();
        return Some(Addressed { text: readable(rest.get(..end.unwrap_or(rest.len()))?), is_international: false });
    }
    if text.contains('@') && !text.contains(char::is_whitespace) && !text.contains(['<', '>']) {
        return None;
    }
    Some(Addressed { text: text.into(), is_international: false })
}

/// The address of `"Jan" <sip:601234567@example.com>;tag=1`, as in RFC 3261.
fn in_angles(text: &str) -> &str {
    let inside = text.split_once('<').map(|(_, rest)| rest.split_once('>').map_or(rest, |(address, _)| address));
    let is_address = |address: &&str| ["sip:", "sips:", "tel:"].iter().any(|scheme| address.starts_with(scheme));
    inside.filter(is_address).unwrap_or(text)
}

/// The rest of a text that begins like this, in whatever case.
fn behind<'a>(text: &'a str, beginning: &str) -> Option<&'a str> {
    let begins = text.get(..beginning.len())?.eq_ignore_ascii_case(beginning);
    if begins { text.get(beginning.len()..) } else { None }
}

/// The beginning of a text that ends like this, in whatever case.
fn in_front<'a>(text: &'a str, ending: &str) -> Option<&'a str> {
    let at = text.len().checked_sub(ending.len())?;
    let ends = text.get(at..)?.eq_ignore_ascii_case(ending);
    if ends { text.get(..at) } else { None }
}

fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('+').unwrap_or(text);
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What percent signs stand for in a number (RFC 3986).
fn readable(text: &str) -> Cow<'_, str> {
    const WRITTEN: [(&str, &str); 7] =
        [("%2B", "+"), ("%2b", "+"), ("%20", " "), ("%28", "("), ("%29", ")"), ("%2D", "-"), ("%23", "#")];
    if !text.contains('%') {
        return text.into();
    }
    WRITTEN.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to)).into()
}
