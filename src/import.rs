//! Imports: the cards that rows make, and the progress that other sessions see.

use crate::jsonb::{Jsonb, New, Value};
use pgrx::AnyNumeric;
use pgrx::datum::Array;
use pgrx::prelude::*;
use std::borrow::Cow;

/// Characters around a cell that do not belong to its value.
const AROUND: [char; 6] = [' ', '\t', '\r', '\n', '\u{A0}', '\u{FEFF}'];

/// Separators between the items of a cell.
const SEPARATORS: [char; 6] = [';', ',', '/', '、', '\r', '\n'];

/// Bytes of a row's cells. A longer row goes the long way.
const MOST_BYTES: usize = 1_000_000;

/// Mappings of a template. A longer one goes the long way.
const MOST_MAPPINGS: usize = 10_000;

/// A cell, or None where it is empty.
type Cell = Option<String>;

/// The card that a row makes, if each cell is written as it is meant. None where one takes a second look, for which there is
/// `ringfence.import_card_of()`: it makes the same card of these rows, and reads numbers and dates as spreadsheets write them.
///
/// `parts` are those of all mappings one after the other, `lengths` how many each has.
#[pg_extern(sql = false)]
fn plain_import_card(
    cells: Jsonb,
    targets: Array<'_, &str>,
    types: Array<'_, &str>,
    parts: Array<'_, &str>,
    lengths: Array<'_, i32>,
    clears: Array<'_, bool>,
) -> Option<Jsonb> {
    if targets.len() > MOST_MAPPINGS {
        return None;
    }
    let mut parts = parts.iter().flatten();
    let mut bytes = 0;
    let mut card: Vec<(&str, New)> = Vec::new();
    let mut own: Vec<(&str, New)> = Vec::new();
    let (mut phones, mut emails) = (None, None);
    for (((target, kind), length), clear) in targets.iter().zip(types.iter()).zip(lengths.iter()).zip(clears.iter()) {
        let (target, kind, length, clear) = (target?, kind?, usize::try_from(length?).ok()?, clear?);
        let cell = cell(&cells, parts.by_ref().take(length))?;
        bytes += cell.as_ref().map_or(0, String::len);
        if bytes > MOST_BYTES {
            return None;
        }
        if cell.is_none() && !clear {
            continue;
        }
        match kind {
            "phones" => add_item(&mut phones, cell, phone)?,
            "emails" => add_item(&mut emails, cell, |item| Some(item.to_owned()))?,
            "birth_date" => card.push((target, text(cell.filter(|cell| is_iso_date(cell))?))),
            "id" | "name" | "address" | "language" | "company_id" => card.push((target, text_or_null(cell))),
            _ => own.push((target, cell.map_or(Some(New::Kept(Value::Null)), |cell| value(kind, cell))?)),
        }
    }
    let lists = [("phones", phones), ("emails", emails)];
    let lists = lists.into_iter().filter_map(|(name, items)| Some((name, items?)));
    card.extend(
        lists.map(|(name, items): (_, Vec<String>)| (name, New::Texts(items.into_iter().map(Cow::Owned).collect()))),
    );
    let own = (!own.is_empty()).then(|| Jsonb::object(own));
    if let Some(own) = &own {
        card.push(("attributes", New::Kept(Value::Object(own.root()))));
    }
    Some(Jsonb::object(card))
}

/// The value of a mapping for a row, as `ringfence.import_cell()` returns it. None if a column holds something else than a text.
fn cell<'a>(cells: &Jsonb, parts: impl Iterator<Item = &'a str>) -> Option<Cell> {
    let (mut made, mut has_columns, mut is_filled) = (String::new(), false, false);
    for part in parts {
        let Some(column) = part.strip_prefix('{') else {
            let constant = part.get(1..).filter(|constant| made.len() + constant.len() <= MOST_BYTES)?;
            made.push_str(constant);
            continue;
        };
        has_columns = true;
        match cells.member(column) {
            None | Some(Value::Null) => (),
            Some(Value::Text(bytes)) if made.len() + bytes.len() <= MOST_BYTES => {
                let text = std::str::from_utf8(bytes).ok()?;
                is_filled |= !text.trim_matches(AROUND).is_empty();
                made.push_str(text);
            }
            Some(_) => return None,
        }
    }
    // A constant around columns that are all empty is no value.
    let made = Some(made.trim_matches(AROUND)).filter(|made| !made.is_empty() && (is_filled || !has_columns));
    Some(made.map(str::to_owned))
}

/// Adds the item of a cell to a list of phones or e-mails. None if the cell holds several.
fn add_item(list: &mut Option<Vec<String>>, cell: Cell, read: impl Fn(&str) -> Option<String>) -> Option<()> {
    let list = list.get_or_insert_default();
    let cell = cell.unwrap_or_default();
    if cell.contains(SEPARATORS) {
        return None;
    }
    let item = cell.trim_matches([' ', '\t', '\u{A0}']);
    if !item.is_empty() {
        list.push(read(item)?);
    }
    Some(())
}

/// A phone without the apostrophe of a spreadsheet. None where the spreadsheet may have taken it for a number.
fn phone(item: &str) -> Option<String> {
    let plain = item.trim_matches(AROUND).trim_start_matches(['\'', '’']);
    (!plain.contains(['.', ',', 'e', 'E'])).then(|| plain.to_owned())
}

/// A cell as the value of a custom field of that type, as `ringfence.import_value()` makes it.
fn value(kind: &str, cell: String) -> Option<New<'static>> {
    match kind {
        "field text" | "field choice" | "field email" | "field time" | "field datetime" => Some(text(cell)),
        "field date" if is_iso_date(&cell) => Some(text(cell)),
        "field phone" => phone(&cell).map(text),
        "field number" if cell.len() <= 15 && cell.bytes().all(|byte| byte.is_ascii_digit()) => {
            cell.parse::<i64>().ok().map(|number| New::Number(AnyNumeric::from(number)))
        }
        "field boolean" => match cell.to_ascii_lowercase().as_str() {
            "true" | "yes" | "y" | "x" | "1" | "1.0" => Some(New::Boolean(true)),
            "false" | "no" | "n" | "0" | "0.0" => Some(New::Boolean(false)),
            _ => None,
        },
        _ => None,
    }
}

fn text(text: String) -> New<'static> {
    New::Text(Cow::Owned(text))
}

fn text_or_null(cell: Cell) -> New<'static> {
    cell.map_or(New::Kept(Value::Null), text)
}

/// Whether it is written `2026-12-31`. Whether there is such a day is for the card to say.
fn is_iso_date(cell: &str) -> bool {
    cell.len() == 10
        && cell.bytes().enumerate().all(|(n, byte)| if n == 4 || n == 7 { byte == b'-' } else { byte.is_ascii_digit() })
}

/// Shows in `pg_stat_progress_copy` how many rows of a relation are imported. Said again and again: where a row is refused PostgreSQL forgets it.
#[pg_extern(sql = false)]
fn show_import_progress(relation: pg_sys::Oid, rows: i64) {
    // SAFETY: sets counters of the backend's own entry. PostgreSQL takes the entry back when the transaction or the command ends.
    unsafe {
        pg_sys::pgstat_progress_start_command(pg_sys::ProgressCommandType::PROGRESS_COMMAND_COPY, relation);
        pg_sys::pgstat_progress_update_param(pg_sys::PROGRESS_COPY_TUPLES_PROCESSED as _, rows);
    }
}

/// The import is over.
#[pg_extern(sql = false)]
fn end_import_progress() {
    // SAFETY: as above.
    unsafe { pg_sys::pgstat_progress_end_command() }
}
