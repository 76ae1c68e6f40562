//! Addresses of channels in the form that look-ups compare.

use crate::contact::{forms_of_phone, is_phone, looks_like_phone, normal_email, with_readable_domain};
use crate::text::without_invisible;
use unicode_normalization::UnicodeNormalization;

/// Longer texts are no addresses.
const MAX_CHARACTERS: usize = 320;

/// Through what a customer reaches an owner.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Phone,
    Email,
    Chat,
    Messenger,
    Web,
}

/// How many kinds there are.
pub const KINDS: usize = 5;

impl Kind {
    pub fn named(name: &[u8]) -> Option<Kind> {
        [Kind::Phone, Kind::Email, Kind::Chat, Kind::Messenger, Kind::Web]
            .into_iter()
            .find(|kind| kind.name().as_bytes() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Kind::Phone => "phone",
            Kind::Email => "email",
            Kind::Chat => "chat",
            Kind::Messenger => "messenger",
            Kind::Web => "web",
        }
    }

    /// The form of an address, of a phone by a country. None if the text is not one address of this kind.
    pub fn form(self, address: &str, country: Option<&str>) -> Option<String> {
        if address.len() > MAX_CHARACTERS && address.chars().nth(MAX_CHARACTERS).is_some() {
            return None;
        }
        let form = match self {
            Kind::Phone => phone(address, country),
            Kind::Email => email(address),
            Kind::Chat => handle(address),
            Kind::Messenger => number_with_code(address).or_else(|| handle(address)),
            Kind::Web => page(address),
        };
        form.filter(|form| !form.is_empty())
    }

    /// The forms that an address is looked up by, best first. A letter to `help+4711@example.com` is one to `help@example.com` where the
    /// former is not assigned.
    pub fn forms_to_find(self, address: &str, country: Option<&str>) -> impl Iterator<Item = String> {
        let exact = self.form(address, country);
        let without_tag = exact.as_deref().filter(|_| self == Kind::Email).and_then(without_tag);
        exact.into_iter().chain(without_tag)
    }
}

/// Whether a form of a phone is the same by the rules of every country.
pub fn is_of_all_countries(form: &str) -> bool {
    form.starts_with('+')
}

fn phone(address: &str, country: Option<&str>) -> Option<String> {
    if let Some((user, host)) = sip_address(address) {
        // An internal number, or a name, is one of its host alone.
        let number = one(forms_of_phone(&user, country)).filter(|form| is_of_all_countries(form));
        return Some(number.unwrap_or_else(|| format!("sip:{user}@{host}")));
    }
    if !is_phone(address) {
        return None;
    }
    one(forms_of_phone(address, country))
}

fn one(forms: Vec<String>) -> Option<String> {
    match <[String; 1]>::try_from(forms) {
        Ok([form]) => Some(form),
        Err(_) => None,
    }
}

/// User and host of `sip:user@host`, `"Name" <sips:user@host:5061;transport=tls>` or `user@host`.
fn sip_address(text: &str) -> Option<(String, String)> {
    let text = plain(text);
    let uri = ["sips:", "sip:"].iter().find_map(|scheme| {
        let start = text.find(scheme)? + scheme.len();
        text.get(start..)
    });
    let uri = match uri {
        Some(uri) => uri.split('>').next()?,
        None if text.contains(char::is_whitespace) => return None,
        None => text.as_str(),
    };
    let (user, host) = uri.split_once('@')?;
    let user = user.split([';', ':']).next()?.replace("%2b", "+");
    let host = host.split([';', '?', '>', '/']).next()?.trim_end_matches('.');
    // Without the port, which an IPv6 address has behind its bracket.
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !host.ends_with(':') => host,
        _ => host,
    };
    let is_of_host = |character: char| character.is_alphanumeric() || "-._[]:".contains(character);
    let is_address = !user.is_empty() && !host.is_empty() && host.chars().all(is_of_host);
    (is_address && !user.contains(char::is_whitespace)).then(|| (user, host.to_owned()))
}

fn email(address: &str) -> Option<String> {
    let form = normal_email(address)?;
    let (local, domain) = form.rsplit_once('@')?;
    let is_address = !local.is_empty() && !domain.is_empty() && !form.contains(char::is_whitespace);
    (is_address && !form.contains("://") && !form.contains(',')).then_some(form)
}

fn without_tag(form: &str) -> Option<String> {
    let (local, domain) = form.rsplit_once('@')?;
    let (local, _) = local.split_once('+')?;
    (!local.is_empty()).then(|| format!("{local}@{domain}"))
}

/// `company_a` of `@Company_A`.
fn handle(address: &str) -> Option<String> {
    let text = plain(address);
    let handle = text.trim_start_matches('@');
    (!handle.contains(char::is_whitespace)).then(|| handle.to_owned())
}

/// The number of an account that is one, as `whatsapp:+48601234567`.
fn number_with_code(address: &str) -> Option<String> {
    let (scheme, number) = address.rsplit_once(':').unwrap_or(("", address));
    if !scheme.chars().all(|character| character.is_ascii_alphabetic()) || !looks_like_phone(number) {
        return None;
    }
    one(forms_of_phone(number, None)).filter(|form| is_of_all_countries(form))
}

/// `example.com/Form` of `https://WWW.Example.com/Form/?from=ad`.
fn page(address: &str) -> Option<String> {
    let text: String = without_invisible(address).trim().nfkc().collect();
    let without_scheme = text.split_once("://").map_or(text.as_str(), |(_, rest)| rest);
    let end = without_scheme.find(['?', '#']).unwrap_or(without_scheme.len());
    let place = without_scheme.get(..end)?.trim_end_matches('/');
    let (host, path) = place.split_at(place.find('/').unwrap_or(place.len()));
    let host = plain(host);
    let host = with_readable_domain(host.strip_prefix("www.").unwrap_or(&host));
    (!host.is_empty() && !place.contains(char::is_whitespace)).then(|| format!("{host}{path}"))
}

/// In lower case, in one width, without invisible characters.
fn plain(text: &str) -> String {
    without_invisible(text).trim().nfkc().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn one_address_in_many_spellings() {
        for (kind, country, form, spellings) in [
            (
                Kind::Phone,
                Some("TW"),
                "+886223456789",
                &[
                    "+886 2 2345 6789",
                    "(02) 2345-6789",
                    "02 2345 6789",
                    "00886223456789",
                    "tel:+886-2-2345-6789",
                    "sip:+886223456789@pbx.example.com",
                    "sip:0223456789@10.0.0.1:5060;user=phone",
                    "SIPS:%2B886223456789@PBX.example.com",
                    "\"Tsai\" <sip:+886223456789@pbx.example.com>;tag=1",
                    "＋８８６２２３４５６７８９",
                ][..],
            ),
            (Kind::Phone, Some("PL"), "112", &["112", " 112 "]),
            (
                Kind::Phone,
                None,
                "sip:help@company-a.example",
                &[
                    "sip:help@company-a.example",
                    "SIP:Help@Company-A.example:5060;transport=tcp",
                    "<sips:help@company-a.example>",
                ],
            ),
            (Kind::Phone, Some("TW"), "sip:1001@pbx-a.example", &["sip:1001@pbx-a.example", "1001@PBX-A.example"]),
            (Kind::Phone, None, "sip:1001@[2001:db8::1]", &["sip:1001@[2001:db8::1]", "sip:1001@[2001:DB8::1]:5060"]),
            (
                Kind::Email,
                None,
                "help@company-a.example",
                &["help@company-a.example", "Help <HELP@Company-A.example>", "mailto:help@company-a.example?subject=x"],
            ),
            (Kind::Chat, None, "company_a", &["company_a", "@Company_A", " ＠company_a "]),
            (Kind::Messenger, None, "+48601234567", &["+48 601 234 567", "whatsapp:+48601234567", "+48601234567"]),
            (Kind::Messenger, None, "company.a", &["@company.a", "Company.A"]),
            (
                Kind::Web,
                None,
                "company-a.example/Form",
                &[
                    "https://www.company-a.example/Form/?from=ad",
                    "http://Company-A.example/Form#top",
                    "company-a.example/Form",
                ],
            ),
            (Kind::Web, None, "bücher.example", &["https://xn--bcher-kva.example/", "bücher.example"]),
        ] {
            for text in spellings {
                assert_eq!(kind.form(text, country).as_deref(), Some(form), "{text}");
            }
        }
    }

    #[test]
    fn no_address() {
        for (kind, text) in [
            (Kind::Phone, "hello"),
            (Kind::Phone, ""),
            (Kind::Phone, "601234567, 602345678"),
            (Kind::Email, "help"),
            (Kind::Email, "a@x.pl, b@x.pl"),
            (Kind::Email, "@"),
            (Kind::Chat, "@"),
            (Kind::Chat, "two words"),
            (Kind::Web, "https://"),
            (Kind::Web, "\u{200B}"),
        ] {
            assert_eq!(kind.form(text, Some("PL")), None, "{text}");
        }
        assert_eq!(Kind::Chat.form(&"x".repeat(321), None), None);
    }

    #[test]
    fn forms_are_forms_of_themselves() {
        for (kind, text) in [
            (Kind::Phone, "(02) 2345-6789"),
            (Kind::Phone, "sip:Help@a.example:5060"),
            (Kind::Phone, "1001@a.example"),
            (Kind::Email, "Help+1@a.example"),
            (Kind::Web, "https://www.A.example/b/"),
            (Kind::Messenger, "whatsapp:+48601234567"),
        ] {
            let form = kind.form(text, Some("TW"));
            assert_eq!(form.as_deref().and_then(|form| kind.form(form, Some("TW"))), form, "{text}");
        }
    }

    #[test]
    fn tags_are_tried_last() {
        let found: Vec<String> = Kind::Email.forms_to_find("Help+4711@a.example", None).collect();
        assert_eq!(found, ["help+4711@a.example", "help@a.example"]);
        assert_eq!(Kind::Email.forms_to_find("+x@a.example", None).count(), 1);
        assert_eq!(Kind::Chat.forms_to_find("a+b", None).count(), 1);
    }
}
