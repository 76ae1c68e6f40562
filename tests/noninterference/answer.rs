//! What a session was told, with what differs from run to run taken out of it.

use crate::program::{Program, Step};
use crate::wire::{self, Reply};

#[derive(Clone, Default, PartialEq, Eq)]
pub struct Answer {
    pub lines: Vec<String>,
}

pub struct Difference {
    pub step: usize,
    pub why: &'static str,
    pub without: Answer,
    pub with: Answer,
}

/// What is called differently in the two worlds, or by the day.
pub struct Names {
    pub database: String,
    /// Yesterday, today and tomorrow.
    pub days: [String; 3],
}

impl Answer {
    pub fn of(step: &Step, reply: &Reply, names: &Names) -> Answer {
        let mut lines = Vec::new();
        let mut rows = Vec::new();
        for (kind, body) in &reply.messages {
            let plain = |text: &str| names.taken_out_of(text);
            match kind {
                b'D' => {
                    let mut row = String::new();
                    for value in wire::row(body) {
                        row += &value.map_or_else(|| "NULL".to_owned(), |value| plain(&value));
                        row += " | ";
                    }
                    rows.push(row);
                }
                b'd' => rows.push(plain(&String::from_utf8_lossy(body))),
                b'T' => lines.push(format!("columns {}", wire::columns(body))),
                b'C' => lines.push(String::from_utf8_lossy(body.strip_suffix(&[0]).unwrap_or(body)).into_owned()),
                b'E' | b'N' => {
                    let told = plain(&wire::fields(body));
                    // A plan that is written out names what was made in this session by numbers that others used up.
                    lines.push(if told.starts_with("LOG") { numbers_taken_out_of(&told) } else { told });
                }
                // A setting that is reported, as `SET timezone` does.
                b'S' => lines.push(plain(&String::from_utf8_lossy(body))),
                kind => lines.push(char::from(*kind).to_string()),
            }
        }
        if !step.ordered {
            rows.sort_unstable();
        }
        lines.extend(rows);
        Answer { lines }
    }
}

impl Names {
    fn taken_out_of(&self, text: &str) -> String {
        let bytes = text.as_bytes();
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        let mut copied = 0;
        while at < bytes.len() {
            let (length, placeholder) = match bytes[at] {
                b'0'..=b'9' if at == 0 || !bytes[at - 1].is_ascii_alphanumeric() => match generated_id(&bytes[at..]) {
                    0 => (self.time(&bytes[at..]), "<now>"),
                    id => (id, "<new id>"),
                },
                _ if cursor_of_generated_id(bytes, at) => (CURSOR, "<cursor>"),
                b'n' if text[at..].starts_with(&self.database) => (self.database.len(), "<database>"),
                b'p' if text[at..].starts_with("pg_toast_") => (9 + digits(&bytes[at + 9..]), "pg_toast_N"),
                b'p' if text[at..].starts_with("pg_temp_") => (8 + digits(&bytes[at + 8..]), "pg_temp_N"),
                _ => (0, ""),
            };
            if length == 0 {
                at += 1;
                continue;
            }
            out.push_str(&text[copied..at]);
            out.push_str(placeholder);
            at += length;
            copied = at;
        }
        out.push_str(&text[copied..]);
        out
    }

    /// The length of a time of today that begins here.
    fn time(&self, bytes: &[u8]) -> usize {
        if !self.days.iter().any(|day| bytes.starts_with(day.as_bytes())) {
            return 0;
        }
        let rest = &bytes[10..];
        let more = rest
            .iter()
            .position(|byte| !matches!(byte, b'0'..=b'9' | b' ' | b'T' | b':' | b'.' | b'+'))
            .unwrap_or(rest.len());
        10 + more
    }
}

fn digits(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len())
}

/// The length of an id of version 7 that begins here, with or without its dashes; ids of the set-up are of version 4.
fn generated_id(bytes: &[u8]) -> usize {
    let hex = |range: &[u8]| range.iter().all(u8::is_ascii_hexdigit);
    if bytes.len() >= 36
        && bytes[8] == b'-'
        && bytes[13] == b'-'
        && bytes[14] == b'7'
        && hex(&bytes[..8])
        && hex(&bytes[24..36])
    {
        return 36;
    }
    if bytes.len() >= 32 && bytes[12] == b'7' && bytes.starts_with(b"01") && hex(&bytes[..32]) { 32 } else { 0 }
}

/// The length of a cursor of search_customers(), which is 36 bytes in base 64.
const CURSOR: usize = 48;

/// Whether a cursor begins there that has the id of a new customer in it, on which its signature depends too.
fn cursor_of_generated_id(bytes: &[u8], at: usize) -> bool {
    let is_of_cursor = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    if at > 0 && is_of_cursor(&bytes[at - 1]) {
        return false;
    }
    let Some(text) = bytes.get(at..at + CURSOR).filter(|text| text.iter().all(is_of_cursor)) else {
        return false;
    };
    if bytes.get(at + CURSOR).is_some_and(is_of_cursor) {
        return false;
    }
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'-' => 62,
        _ => 63,
    };
    let six_bits = |place: usize| u32::from(value(text[place]));
    let three_bytes = |n: usize| (0..4).fold(0, |bits, place| bits << 6 | six_bits(4 * n + place));
    // The id begins after 12 bytes, with the time in milliseconds; its version comes after 6 more.
    three_bytes(4) >> 16 == 1 && three_bytes(6) >> 20 == 7
}

fn numbers_taken_out_of(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        // The bytes of a constant, which may be such a number.
        if text[at..].starts_with("[ ") {
            at += text[at..].find(']').unwrap_or(1);
            continue;
        }
        let length = digits(&bytes[at..]);
        if length == 0 {
            let stops = |byte: &u8| byte.is_ascii_digit() || *byte == b'[';
            let end = at + 1 + bytes[at + 1..].iter().position(stops).unwrap_or(bytes.len() - at - 1);
            out.push_str(&text[at..end]);
            at = end;
            continue;
        }
        let number: u64 = text[at..at + length].parse().unwrap_or(0);
        out.push_str(if number >= 16384 { "<n>" } else { &text[at..at + length] });
        at += length;
    }
    out
}

/// Statements after which rows may lie in another order, since new versions go where there is room.
const MOVING: &[&str] =
    &["INSERT INTO ringfence", " SET ", "DELETE FROM ringfence", "MERGE INTO", "COPY ringfence", "SELECT ringfence."];

/// An answer without what depends on the order in which rows lie: the order of notices, the row that an error names, and which rows
/// come where the statement takes only some, or each second one (`lies()`).
fn without_order(statement: &str, answer: &Answer) -> Vec<String> {
    if statement.contains(" LIMIT ") || statement.starts_with("FETCH") || statement.contains("pg_temp.lies") {
        return vec![answer.lines.len().to_string()];
    }
    let state = |line: &String| match line.strip_prefix("ERROR | ") {
        Some(error) => error.chars().take("SQLSTATE 00000".len()).collect(),
        None => line.clone(),
    };
    let mut lines: Vec<String> = answer.lines.iter().map(state).collect();
    lines.sort_unstable();
    lines
}

/// Whether a statement tells, or goes by, how often a condition was judged before.
fn goes_by_sequence(statement: &str) -> bool {
    ["hit", "pg_temp.lies", "pg_temp.one_row", "pg_temp.counted"].iter().any(|part| statement.contains(part))
}

/// Whether a statement ended before it had read all rows: which came first depends on where they lie.
fn stops_early(statement: &str, answer: &Answer) -> bool {
    statement.contains(" LIMIT ")
        || statement.starts_with("FETCH")
        || answer.lines.iter().any(|line| line.starts_with("ERROR"))
}

/// Whether a statement that counts what a search found, and how many different ones, got two numbers.
fn finds_twice(statement: &str, answer: &Answer) -> bool {
    let counts = answer.lines.last().and_then(|row| row.strip_suffix(" | ")).and_then(|row| row.split_once(" | "));
    statement.starts_with("SELECT count(*), count(DISTINCT customer_id)")
        && counts.is_some_and(|(all, different)| all != different && different.parse::<u64>().is_ok())
}

/// Whether a function is called that was chosen among all.
fn calls_any(step: &Step) -> bool {
    step.sql.text().split("pg_catalog.").skip(1).any(|call| call.starts_with(|first: char| first.is_ascii_alphabetic()))
}

/// The first step whose answers differ, or tell what they may not.
pub fn compare(program: &Program, without: Vec<Answer>, with: Vec<Answer>) -> Option<Difference> {
    let (mut moved, mut stopped) = (false, false);
    for (step, (without, with)) in without.into_iter().zip(with).enumerate() {
        let statement = program.steps[step].sql.text();
        moved |= MOVING.iter().any(|moving| statement.contains(moving));
        let tells = |what: &str| with.lines.iter().any(|line| line.contains(what));
        let by_chance = moved
            && ((stopped && goes_by_sequence(&statement))
                || without_order(&statement, &without) == without_order(&statement, &with));
        let differ = without != with && !by_chance;
        stopped |= moved && stops_early(&statement, &without);
        let why = if tells("CANARY") && !statement.contains("CANARY") {
            "what the other owner alone has was told"
        } else if differ {
            "the answers differ"
        } else if finds_twice(&statement, &with) || finds_twice(&statement, &without) {
            "a search found a customer twice"
        } else if tells("SQLSTATE XX000") && !program.steps[..=step].iter().any(calls_any) {
            // Some of PostgreSQL's own functions answer so to arguments that make no sense.
            "an internal error"
        } else {
            continue;
        };
        return Some(Difference { step, why, without, with });
    }
    None
}
