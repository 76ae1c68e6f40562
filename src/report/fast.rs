//! The functions of a report view as PostgreSQL calls them, for each column of each row. If the
//! context in force is known and the value is in its usual form, they answer as plain frames (see
//! `pg`). In all other cases they call the functions of `report`, which is slower.

#![allow(ffi_unwind_calls)]

use crate::field::Definition;
use crate::jsonb::{Jsonb, Value};
use crate::pg::{
    MICROSECONDS_OF_A_DAY, MICROSECONDS_OF_A_SECOND, SECONDS_OF_A_DAY, copied_unguarded, unguarded, version_1,
};
use crate::session::Serial;
use crate::session::fast::answer;
use jiff::civil::{self, Date};
use pgrx::datum::Uuid;
use pgrx::pg_sys;

/// Which field a call site shows, as found in a context. It is kept with the call site.
struct Known {
    serial: Serial,
    project: [u8; 16],
    field: [u8; 16],
    /// The field's place in `VisibleFields`, if the session sees it.
    place: Option<usize>,
    /// Where its value was in the previous row.
    near: usize,
}

/// What there is to show.
struct Found {
    value: Value<'static>,
    definition: *const Definition,
}

/// The value of the field. None if there is no value that the session sees. An error means that the
/// function of `report` must answer.
///
/// # Safety
/// `call` must be one of a strict function of version 1 with arguments of types jsonb, uuid and
/// uuid. The result is valid as long as the arguments live, and until a function of PostgreSQL is
/// called that could change the context.
unsafe fn find(call: pg_sys::FunctionCallInfo) -> Result<Option<Found>, ()> {
    // SAFETY: as promised by the caller: three arguments, none of them NULL. What is kept with the
    // call site is written only here, and lives as long as the call site. No function of PostgreSQL
    // is called while the answer is read.
    unsafe {
        let [stored, project, field] = (*call).args.as_slice(3) else {
            return Err(());
        };
        let stored = Jsonb::of(unguarded::pg_detoast_datum(stored.value.cast_mut_ptr()));
        let project = project.value.cast_mut_ptr::<[u8; 16]>().read_unaligned();
        let field = field.value.cast_mut_ptr::<[u8; 16]>().read_unaligned();
        let site = (*call).flinfo;
        if (*site).fn_extra.is_null() {
            let known = unguarded::MemoryContextAlloc((*site).fn_mcxt, size_of::<Known>()).cast::<Known>();
            known.write(Known { serial: Serial::NONE, project, field, place: None, near: 0 });
            (*site).fn_extra = known.cast();
        }
        let known = &mut *(*site).fn_extra.cast::<Known>();
        let seen = answer(|context| {
            let fields = context.known_fields()?;
            if known.serial != context.serial || known.project != project || known.field != field {
                let place = fields.place_in_report(Uuid::from_bytes(project), Uuid::from_bytes(field));
                *known = Known { serial: context.serial, project, field, place, near: 0 };
            }
            let seen = known.place.and_then(|place| fields.at(place));
            Some(seen.map(|field| (&raw const field.definition, field.key.as_ptr(), field.key.len())))
        });
        let Some((definition, key, length)) = seen.flatten().ok_or(())? else {
            return Ok(None);
        };
        let value = stored.root().member_near(std::slice::from_raw_parts(key, length), &mut known.near);
        // The value lives as long as the argument.
        let value = value.map(|value| std::mem::transmute::<Value<'_>, Value<'static>>(value));
        Ok(value.map(|value| Found { value, definition }))
    }
}

/// # Safety
/// `call` must be a call that PostgreSQL has made.
unsafe fn null(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: as promised by the caller.
    unsafe { (*call).isnull = true };
    pg_sys::Datum::null()
}

macro_rules! plain_functions {
    ($($name:ident, $info:ident, $long_way:path, |$found:ident| $shown:expr;)*) => { $(
        /// # Safety
        /// For PostgreSQL to call, as a strict function of version 1 with arguments of types jsonb, uuid and uuid.
        #[unsafe(no_mangle)]
        pub unsafe extern "C-unwind" fn $name(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
            // SAFETY: as promised by the caller.
            unsafe {
                match find(call) {
                    Ok(None) => null(call),
                    Ok(Some($found)) => match $shown {
                        Some(shown) => shown,
                        None => $long_way(call),
                    },
                    Err(()) => $long_way(call),
                }
            }
        }

        version_1!($info);
    )* };
}

plain_functions! {
    report_text_fast, pg_finfo_report_text_fast, super::report_text_wrapper, |found| show_text(&found);
    report_number_fast, pg_finfo_report_number_fast, super::report_number_wrapper, |found| show_number(&found);
    report_boolean_fast, pg_finfo_report_boolean_fast, super::report_boolean_wrapper,
        |found| found.value.boolean().map(pg_sys::Datum::from);
    report_date_fast, pg_finfo_report_date_fast, super::report_date_wrapper,
        |found| days(found.value).map(pg_sys::Datum::from);
    report_time_fast, pg_finfo_report_time_fast, super::report_time_wrapper,
        |found| text(found.value).and_then(clock).map(pg_sys::Datum::from);
    report_datetime_fast, pg_finfo_report_datetime_fast, super::report_datetime_wrapper,
        |found| moment(found.value).map(pg_sys::Datum::from);
    report_texts_fast, pg_finfo_report_texts_fast, super::report_texts_wrapper, |found| show_texts(&found);
}

/// # Safety
/// As for [`find`], whose result it takes.
unsafe fn show_text(found: &Found) -> Option<pg_sys::Datum> {
    let Value::Text(stored) = found.value else {
        return None;
    };
    // SAFETY: the definition lives as long as the context; the text is copied before anything could change that.
    unsafe {
        let shown = match (*found.definition).options.as_deref() {
            Some(options) => options.name_of(found.value.text()?).as_bytes(),
            None => stored,
        };
        Some(unguarded::cstring_to_text_with_len(shown.as_ptr().cast(), shown.len() as _).into())
    }
}

/// # Safety
/// As for [`find`], whose result it takes.
unsafe fn show_number(found: &Found) -> Option<pg_sys::Datum> {
    let Value::Number(number) = found.value else {
        return None;
    };
    // SAFETY: a numeric with its header, copied as a whole.
    Some(unsafe { copied_unguarded(number.as_ptr(), number.len()) })
}

/// # Safety
/// As for [`find`], whose result it takes.
unsafe fn show_texts(found: &Found) -> Option<pg_sys::Datum> {
    const MOST: usize = 16;
    let Value::Array(array) = found.value else {
        return None;
    };
    let mut texts = [pg_sys::Datum::null(); MOST];
    let mut count = 0;
    // SAFETY: the definition lives as long as the context, and no function that is called here
    // changes the context. The array is made of copies.
    unsafe {
        let options = (*found.definition).options.as_deref()?;
        for element in array.children() {
            let text = options.name_of(element.text()?);
            let copied = unguarded::cstring_to_text_with_len(text.as_ptr().cast(), text.len() as _);
            *texts.get_mut(count)? = copied.into();
            count += 1;
        }
        let array = unguarded::construct_array(
            texts.as_mut_ptr(),
            count as _,
            pg_sys::TEXTOID,
            -1,
            false,
            pg_sys::TYPALIGN_INT as _,
        );
        Some(array.into())
    }
}

/// The bytes of a text. Callers read only digits and separators from them.
fn text(value: Value<'_>) -> Option<&[u8]> {
    if let Value::Text(bytes) = value { Some(bytes) } else { None }
}

/// The number that these digits make. None if anything but a digit is among them.
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
}

/// Days from 2000-01-01 to a date like `2026-03-31`, the form in which dates are stored. None for
/// any other form. The calendar is jiff's, but not the parser: with it ([`crate::field::date`]), a
/// date would take 340 instructions instead of 180, and a moment ([`crate::field::datetime`], which
/// takes any offset) 1,580.
fn day(text: &[u8; 10]) -> Option<i64> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text else {
        return None;
    };
    let (year, month, day) = (number(&[y1, y2, y3, y4])?, number(&[m1, m2])?, number(&[d1, d2])?);
    if year < 1 {
        return None;
    }
    const EPOCH: Date = civil::date(2000, 1, 1);
    let date = Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()?;
    Some(date.duration_since(EPOCH).as_secs() / SECONDS_OF_A_DAY)
}

fn days(value: Value) -> Option<i32> {
    day(text(value)?.try_into().ok()?).and_then(|days| i32::try_from(days).ok())
}

/// Microseconds of `09:30:00` or `09:30:15.25`, the forms in which times are stored.
fn clock(text: &[u8]) -> Option<i64> {
    let ([h1, h2, b':', m1, m2, b':', s1, s2], fraction) = text.split_first_chunk()? else {
        return None;
    };
    let (hour, minute, second) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?, number(&[*s1, *s2])?);
    let microseconds = match fraction {
        [] => 0,
        [b'.', digits @ ..] if (1..=6).contains(&digits.len()) => number(digits)? * 10_i64.pow(6 - digits.len() as u32),
        _ => return None,
    };
    let valid = hour < 24 && minute < 60 && second < 60;
    valid.then_some(((hour * 60 + minute) * 60 + second) * MICROSECONDS_OF_A_SECOND + microseconds)
}

/// Microseconds from 2000-01-01 of `2026-03-31T01:30:00Z`, the form in which moments are stored.
fn moment(value: Value) -> Option<i64> {
    let (date, rest) = text(value)?.split_first_chunk::<10>()?;
    let [b'T', time @ .., b'Z'] = rest else {
        return None;
    };
    Some(day(date)? * MICROSECONDS_OF_A_DAY + clock(time)?)
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    /// The plain frames and the functions of `report` give the same answer, or the plain frames
    /// give none.
    #[test]
    fn dates_and_times() {
        let mut date = jiff::civil::date(1, 1, 1);
        let epoch = jiff::civil::date(2000, 1, 1);
        while date < jiff::civil::date(9999, 12, 20) {
            let text = date.to_string();
            let expected = epoch.until((jiff::Unit::Day, date)).map(|span| span.get_days()).ok();
            assert_eq!(days(Value::Text(text.as_bytes())), expected, "{text}");
            let moment_text = format!("{text}T23:59:58.5Z");
            let expected = crate::field::datetime(&moment_text)
                .map(|moment| moment.as_microsecond() - crate::pg::MICROSECONDS_FROM_1970_TO_2000);
            assert_eq!(moment(Value::Text(moment_text.as_bytes())), expected, "{moment_text}");
            date = date.saturating_add(jiff::Span::new().days(13));
        }
        for bad in
            ["2026-02-29", "1900-02-29", "2026-13-01", "2026-00-01", "2026-04-31", "0000-01-01", "2026-3-1", "today"]
        {
            assert_eq!(days(Value::Text(bad.as_bytes())), None, "{bad}");
        }
        for (text, expected) in [
            ("00:00:00", Some(0)),
            ("23:59:59.999999", Some(86_399_999_999)),
            ("09:30:15.25", Some(34_215_250_000)),
            ("24:00:00", None),
            ("09:60:00", None),
            ("09:30:60", None),
            ("09:30", None),
            ("09:30:15.", None),
            ("09:30:15.1234567", None),
        ] {
            assert_eq!(clock(text.as_bytes()), expected, "{text}");
        }
    }
}
