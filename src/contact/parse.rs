//! libphonenumber: parsing and E.164.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, Region};

pub(super) fn region(code: &str) -> Option<Region> {
    code.parse().ok().filter(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(*region).is_some())
}

pub(super) fn parsed(text: &str, country: Option<&str>) -> Option<PhoneNumber> {
    PHONE_NUMBER_UTIL.parse(text, country.and_then(region)).ok()
}

pub(super) fn e164(number: &PhoneNumber) -> String {
    PHONE_NUMBER_UTIL.format(number, PhoneNumberFormat::E164).into_owned()
}

/// The number in E.164, if it is a valid one.
pub(super) fn valid(e164: &str) -> Option<String> {
    let number = parsed(e164, None)?;
    (PHONE_NUMBER_UTIL.is_valid_number(&number)).then(|| self::e164(&number))
}
