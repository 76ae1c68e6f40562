//! Finds what may be a token or a key in a text, and covers it with stars, byte for byte. Nothing
//! here allocates memory, because it runs while errors are reported, also the error that there is
//! no memory. Each function reads a text a fixed number of times.

use memchr::{memchr, memchr2};

/// How tokens begin. They begin with a JSON object in base64: a brace, then a quote or white space.
const BEGINNINGS: [&[u8]; 6] = [b"eyJ", b"eyA", b"eyI", b"ewo", b"ew0", b"ewk"];
const SHORTEST_TOKEN: usize = 16;

/// Whether a text calls one of the functions that take a token or a key.
pub fn calls_for_secret(text: &[u8]) -> bool {
    arguments_of_secrets(text).is_some()
}

/// Whether [`cover`] would change the text.
pub fn has_secret(text: &[u8], values: bool) -> bool {
    first_value(text, values).is_some() || next_token(text, 0).is_some()
}

/// Covers what looks like a token. If the text calls a function that takes a secret, or if `values`
/// asks for it, covers everything from the first literal or argument on. White space is kept.
pub fn cover(text: &mut [u8], values: bool) {
    if let Some(start) = first_value(text, values) {
        text[start..].iter_mut().filter(|byte| !byte.is_ascii_whitespace()).for_each(|byte| *byte = b'*');
    }
    let mut rest = 0;
    while let Some((start, end)) = next_token(text, rest) {
        text[start..end].fill(b'*');
        rest = end;
    }
}

/// Whether [`cover_literals`] would change the text.
pub fn literals_have_secret(text: &[u8]) -> bool {
    calls_for_secret(text) || next_token(text, 0).is_some()
}

/// As [`cover`], for a text that PostgreSQL still has to read. `target` is a copy of `source`. Only
/// the inside of its literals and comments is changed, so that the scanner finds the same words as
/// before. With `backslash`, plain literals have escapes too.
pub fn cover_literals(source: &[u8], target: &mut [u8], backslash: bool) {
    let all = calls_for_secret(source);
    for_each_quoted(source, backslash, |quoted, start, end| {
        // A star could end a comment.
        let cover = if quoted == Quoted::Comment { b'x' } else { b'*' };
        // The character after UESCAPE belongs to the name before it.
        if quoted == Quoted::Literal && ends_with_uescape(&source[..start - 1]) {
            return;
        }
        if all {
            let covered = |byte: &&mut u8| byte.is_ascii_alphanumeric() || b"_-.+=".contains(byte);
            target[start..end].iter_mut().filter(covered).for_each(|byte| *byte = cover);
            return;
        }
        let mut rest = start;
        while let Some((from, to)) = next_token(&source[..end], rest) {
            target[from..to].fill(cover);
            rest = to;
        }
    });
}

fn ends_with_uescape(text: &[u8]) -> bool {
    let end = text.iter().rposition(|byte| !byte.is_ascii_whitespace()).map_or(0, |n| n + 1);
    end >= 7 && text[end - 7..end].eq_ignore_ascii_case(b"UESCAPE")
}

fn first_value(text: &[u8], values: bool) -> Option<usize> {
    let arguments = arguments_of_secrets(text);
    if arguments.is_none() && !values {
        return None;
    }
    let literal = memchr2(b'\'', b'$', text);
    match (arguments, literal) {
        (Some(arguments), Some(literal)) => Some(arguments.min(literal)),
        (arguments, literal) => arguments.or(literal),
    }
}

/// Where the next run of characters lies that looks like a token.
fn next_token(text: &[u8], mut rest: usize) -> Option<(usize, usize)> {
    let is_token_byte = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    while let Some(start) = memchr(b'e', text.get(rest..)?).map(|n| rest + n) {
        rest = start + 1;
        if BEGINNINGS.iter().any(|beginning| text[start..].starts_with(beginning)) {
            rest = start + text[start..].iter().take_while(is_token_byte).count();
            if rest - start >= SHORTEST_TOKEN {
                return Some((start, rest));
            }
        }
    }
    None
}

/// The first function that takes a secret: where its arguments begin. None if the text calls no
/// such function.
fn arguments_of_secrets(text: &[u8]) -> Option<usize> {
    let key = b"add_signing_key";
    let key = find(text, key, 0).and_then(|n| opening(text, n + key.len()));
    let (name, schema) = (b"login", b"ringfence");
    let mut login = None;
    let mut rest = 0;
    while let Some(start) = find(text, name, rest) {
        rest = start + name.len();
        let before = text[..start].iter().rposition(|byte| !is_separator(*byte)).map_or(0, |n| n + 1);
        let whole_word = before < start || start == 0 || !is_name_byte(text[start - 1]);
        if let Some(arguments) = opening(text, rest).filter(|_| whole_word) {
            // It may be a function login() of an application, or a table of that name. It counts
            // only if a literal follows.
            let own = before >= schema.len() && text[before - schema.len()..before].eq_ignore_ascii_case(schema);
            let first = skip_separators(text, arguments);
            if own || begins_literal(&text[first..]) {
                login = Some(arguments);
                break;
            }
            rest = first;
        }
    }
    [key, login, arguments_of_escaped(text)].into_iter().flatten().min()
}

/// The same for a function whose name is written with Unicode escapes, as in
/// `U&"add\005fsigning\005fkey"` or `U&"logi!006e" UESCAPE '!'`.
fn arguments_of_escaped(text: &[u8]) -> Option<usize> {
    let mut rest = 0;
    while let Some(start) = find(text, b"u&\"", rest) {
        let name = start + 3;
        let end = end_of_literal(text, name, b'"', false);
        rest = (end + 1).min(text.len());
        let mut next = skip_separators(text, rest);
        let mut escape = b'\\';
        const WORD: &[u8] = b"UESCAPE";
        if text.get(next..next + WORD.len()).is_some_and(|word| word.eq_ignore_ascii_case(WORD)) {
            next = skip_separators(text, next + WORD.len());
            // If the name stands inside a literal, its quotes are doubled.
            let quotes = text[next..].iter().take_while(|byte| **byte == b'\'').count();
            escape = text.get(next + quotes).copied().unwrap_or(escape);
            let end = (next + quotes + 1).min(text.len());
            let quotes = text[end..].iter().take_while(|byte| **byte == b'\'').count();
            next = skip_separators(text, end + quotes);
        }
        rest = rest.max(next.min(text.len()));
        let named = [&b"add_signing_key"[..], b"login"].iter().any(|wanted| spells(&text[name..end], escape, wanted));
        if named && text.get(next) == Some(&b'(') {
            return Some(next + 1);
        }
    }
    None
}

/// Whether a name with Unicode escapes spells that ASCII name, in upper or lower case.
fn spells(name: &[u8], escape: u8, wanted: &[u8]) -> bool {
    let hexadecimal =
        |digits: &[u8]| digits.iter().try_fold(0u32, |code, digit| Some(code << 4 | char::from(*digit).to_digit(16)?));
    let (mut at, mut length) = (0, 0);
    while at < name.len() {
        let (code, taken) = match &name[at..] {
            [first, b'+', ..] if *first == escape => (name.get(at + 2..at + 8).and_then(hexadecimal), 8),
            [first, second, ..] if *first == escape && *second == escape => (Some(u32::from(escape)), 2),
            [first, ..] if *first == escape => (name.get(at + 1..at + 5).and_then(hexadecimal), 5),
            [first, ..] => (Some(u32::from(*first)), 1),
            [] => (None, 1),
        };
        let is_next = code
            .and_then(|code| u8::try_from(code).ok())
            .zip(wanted.get(length))
            .is_some_and(|(byte, wanted)| byte.eq_ignore_ascii_case(wanted));
        if !is_next {
            return false;
        }
        (at, length) = (at + taken, length + 1);
    }
    length == wanted.len()
}

/// The names of the prepared statements that a text executes, as written: with or without double
/// quotes.
pub fn executed(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let word = b"execute";
    let mut rest = 0;
    std::iter::from_fn(move || {
        loop {
            let start = find(text, word, rest)?;
            rest = start + word.len();
            if start > 0 && is_name_byte(text[start - 1]) {
                continue;
            }
            let name = skip_space(text, rest);
            let end = match text.get(name) {
                Some(b'"') => (end_of_literal(text, name + 1, b'"', false) + 1).min(text.len()),
                _ => name + text[name..].iter().take_while(|byte| is_name_byte(**byte) || **byte == b'$').count(),
            };
            if end > name && name > rest {
                rest = end;
                return Some(&text[name..end]);
            }
        }
    })
}

/// The place after white space and comments.
fn skip_space(text: &[u8], mut at: usize) -> usize {
    loop {
        match text.get(at..) {
            Some([byte, ..]) if byte.is_ascii_whitespace() => at += 1,
            Some([b'/', b'*', ..]) => at = end_of_comment(text, at),
            Some([b'-', b'-', ..]) => at = end_of_line(text, at),
            _ => return at,
        }
    }
}

/// If the name of a function ends there: the place after the parenthesis that opens its arguments.
fn opening(text: &[u8], end_of_name: usize) -> Option<usize> {
    let next = skip_separators(text, end_of_name);
    (text.get(next) == Some(&b'(')).then_some(next + 1)
}

/// Whether a text begins with a literal, or a parameter: also `E'...'`, `U&'...'` and their like.
fn begins_literal(text: &[u8]) -> bool {
    match text {
        [b'\'' | b'$', ..] | [b'u' | b'U', b'&', b'\'', ..] => true,
        [prefix, b'\'', ..] => b"eEnNbBxX".contains(prefix),
        _ => false,
    }
}

fn is_separator(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'"' | b'.')
}

/// The place after everything that may stand between the words of a name: white space, quotes,
/// points and comments.
fn skip_separators(text: &[u8], mut at: usize) -> usize {
    loop {
        match text.get(at..) {
            Some([byte, ..]) if is_separator(*byte) => at += 1,
            Some([b'/', b'*', ..]) => at = end_of_comment(text, at),
            Some([b'-', b'-', ..]) => at = end_of_line(text, at),
            _ => return at,
        }
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// The first place of `wanted`, in upper or lower case. `wanted` itself is in lower case.
fn find(text: &[u8], wanted: &[u8], mut rest: usize) -> Option<usize> {
    let first = *wanted.first()?;
    while let Some(start) = memchr2(first, first.to_ascii_uppercase(), text.get(rest..)?).map(|n| rest + n) {
        if text.get(start..start + wanted.len()).is_some_and(|found| found.eq_ignore_ascii_case(wanted)) {
            return Some(start);
        }
        rest = start + 1;
    }
    None
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quoted {
    Literal,
    Comment,
}

/// The inside of each literal and comment, as PostgreSQL's scanner finds them (src/backend/parser/scan.l).
fn for_each_quoted(text: &[u8], backslash: bool, mut visit: impl FnMut(Quoted, usize, usize)) {
    let mut at = 0;
    while at < text.len() {
        match &text[at..] {
            [b'-', b'-', ..] => {
                let end = end_of_line(text, at);
                visit(Quoted::Comment, at + 2, end);
                at = end;
            }
            [b'/', b'*', ..] => {
                let end = end_of_comment(text, at);
                visit(Quoted::Comment, (at + 2).min(end), end.saturating_sub(2).max((at + 2).min(end)));
                at = end;
            }
            [b'\'', ..] => {
                let prefixed = at > 0 && matches!(text[at - 1], b'e' | b'E') && (at < 2 || !is_name_byte(text[at - 2]));
                let end = end_of_literal(text, at + 1, b'\'', backslash || prefixed);
                visit(Quoted::Literal, at + 1, end);
                at = end + 1;
            }
            [b'"', ..] => at = end_of_literal(text, at + 1, b'"', false) + 1,
            [b'$', ..] if at == 0 || !is_name_byte(text[at - 1]) && text[at - 1] != b'$' => {
                let tag = text[at + 1..].iter().take_while(|byte| is_name_byte(**byte)).count();
                let is_tag = text.get(at + 1 + tag) == Some(&b'$') && !text[at + 1].is_ascii_digit();
                if is_tag {
                    let tag = &text[at..at + tag + 2];
                    let start = at + tag.len();
                    let end = memchr::memmem::find(&text[start..], tag).map_or(text.len(), |n| start + n);
                    visit(Quoted::Literal, start, end);
                    at = (end + tag.len()).min(text.len());
                } else {
                    at += 1;
                }
            }
            _ => at += 1,
        }
    }
}

fn end_of_line(text: &[u8], at: usize) -> usize {
    text[at..].iter().position(|byte| matches!(byte, b'\n' | b'\r')).map_or(text.len(), |n| at + n)
}

/// The place after the comment that begins there. Comments nest.
fn end_of_comment(text: &[u8], mut at: usize) -> usize {
    let mut depth = 0;
    loop {
        match text.get(at..) {
            Some([b'/', b'*', ..]) => (depth, at) = (depth + 1, at + 2),
            Some([b'*', b'/', ..]) => {
                (depth, at) = (depth - 1, at + 2);
                if depth == 0 {
                    return at;
                }
            }
            Some([_, ..]) => at += 1,
            _ => return text.len(),
        }
    }
}

/// The place of the quote that ends the literal or name that begins there. A doubled quote does not
/// end it, and neither does a quote after a backslash, if backslashes are escapes there.
fn end_of_literal(text: &[u8], mut at: usize, quote: u8, backslash: bool) -> usize {
    loop {
        match text.get(at..) {
            Some([first, second, ..]) if *first == quote && *second == quote => at += 2,
            Some([first, ..]) if *first == quote => return at,
            Some([b'\\', _, ..]) if backslash => at += 2,
            Some([_, ..]) => at += 1,
            _ => return text.len(),
        }
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    fn covered(text: &str, values: bool) -> String {
        let mut bytes = text.as_bytes().to_vec();
        cover(&mut bytes, values);
        assert_eq!(has_secret(text.as_bytes(), values), bytes != text.as_bytes(), "{text}");
        String::from_utf8(bytes).unwrap()
    }

    fn read_on(text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        cover_literals(text.as_bytes(), &mut bytes, false);
        String::from_utf8(bytes).unwrap()
    }

    const TOKEN: &str = "eyJhbGciOiJFZERTQSJ9.eyJvd25lciI6IkEifQ.c2lnbmF0dXJl";

    #[test]
    fn tokens_and_keys_are_covered_in_place() {
        let stars = "*".repeat(TOKEN.len());
        assert_eq!(covered(&format!("EXECUTE p('{TOKEN}')"), false), format!("EXECUTE p('{stars}')"));
        assert_eq!(covered(&format!("1 = '{TOKEN}', 2 = '{TOKEN}'"), false), format!("1 = '{stars}', 2 = '{stars}'"));
        assert_eq!(covered("SELECT ringfence.login('abc')", false), "SELECT ringfence.login(******");
        assert_eq!(
            covered("select \"ringfence\" . \"LOGIN\" ( 'abc')", false),
            "select \"ringfence\" . \"LOGIN\" ( ******"
        );
        assert_eq!(covered("SELECT add_signing_key('k', 'x')", false), "SELECT add_signing_key(**** ****");
        assert_eq!(covered("SELECT add_signing_key/* - */('k')", false), "SELECT add_signing_key/* - */(****");
        assert_eq!(
            covered("WITH v AS (SELECT 'k') SELECT add_signing_key(v)", false),
            "WITH v AS (SELECT **** ****** ******************"
        );
        assert_eq!(covered("SELECT 'eyJhbGciOiJFZERTQSJ9", false), "SELECT '********************");
        assert_eq!(covered("SELECT login ('abc')", false), "SELECT login (******");
        assert_eq!(covered("EXECUTE p('abc', 1)", true), "EXECUTE p(****** **");
        assert_eq!(covered("SELECT login(x) FROM t", true), "SELECT login(x) FROM t");
        assert_eq!(covered("SELECT login(E'abc')", false), "SELECT login(*******");
    }

    #[test]
    fn names_with_unicode_escapes_are_read() {
        for name in [
            r#"U&"add\005fsigning\005fkey""#,
            r#"u&"\0061dd_signing_key""#,
            r#"U&"add\+00005fsigning_key" "#,
            r#"ringfence . U&"add!005fsigning_key" UESCAPE '!'"#,
            r#"U&"addz005fsigning_key"/* */uescape 'z' "#,
            r#"U&"\006Cogin""#,
            r#"U&"ringfence".U&"login""#,
        ] {
            let shown = covered(&format!("SELECT {name}('k', 'x')"), false);
            assert!(!shown.contains("'k'") && !shown.contains('x'), "{shown}");
            let shown = read_on(&format!("PREPARE p AS SELECT {name}('k', 'secret')"));
            assert!(!shown.contains("'k'") && !shown.contains("secret") && shown.contains(name.trim_end()), "{shown}");
        }
        // In a literal of PL/pgSQL.
        let shown = covered(r#"DO $$BEGIN EXECUTE 'SELECT U&"logi!006e" UESCAPE ''!'' (''k'')'; END$$"#, false);
        assert!(!shown.contains("''k''"), "{shown}");
        for text in [
            r#"SELECT U&"login"#,
            r#"SELECT U&"login" UESCAPE"#,
            r#"SELECT U&"login" UESCAPE '"#,
            r#"U&"\"#,
            r#"U&"\+"#,
            r#"U&""#,
        ] {
            assert_eq!(covered(text, false), text);
        }
        for text in [r#"SELECT U&"log\0069ns"('x')"#, r#"SELECT U&"login", 'x'"#] {
            assert_eq!(covered(text, false), text);
        }
    }

    #[test]
    fn executed_statements_are_found_by_name() {
        let names = |text: &'static str| {
            executed(text.as_bytes()).map(|name| std::str::from_utf8(name).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(names("EXECUTE p('x')"), ["p"]);
        assert_eq!(
            names("SELECT 1; execute/* e */Some$1 ;EXPLAIN EXECUTE \"a \"\"b\"('x')"),
            ["Some$1", "\"a \"\"b\""]
        );
        assert_eq!(names("SELECT reexecute x, executed y, EXECUTE"), [""; 0]);
        assert_eq!(names("EXECUTE \"p"), ["\"p"]);
    }

    #[test]
    fn other_texts_are_left_alone() {
        for text in [
            "",
            "SELECT 1",
            "UPDATE app.users SET last_login = now()",
            "INSERT INTO app.login (who) VALUES ('x')",
            "SELECT last_login('x'), app.login(who)",
            "SELECT * FROM ringfence.signing_key",
            "SELECT kid FROM ringfence.signing_key (x)",
            "SELECT 'they are eyJ short'",
            "ringfence",
            "ringfence.login",
        ] {
            assert_eq!(covered(text, false), text);
            assert_eq!(read_on(text), text);
        }
    }

    #[test]
    fn what_is_read_on_falls_into_the_same_words() {
        assert_eq!(
            read_on("PREPARE p AS SELECT ringfence.login('a''b c');"),
            "PREPARE p AS SELECT ringfence.login('*''* *');"
        );
        assert_eq!(
            read_on("SELECT add_signing_key('k', E'a\\'b', $x$c'd$x$, $1) -- e"),
            "SELECT add_signing_key('*', E'*\\'*', $x$*'*$x$, $1) -- x"
        );
        assert_eq!(read_on("SELECT add_signing_key(\"a'b\", 'c')"), "SELECT add_signing_key(\"a'b\", '*')");
        let stars = "*".repeat(TOKEN.len());
        assert_eq!(read_on(&format!("EXECUTE p('{TOKEN}', {TOKEN})")), format!("EXECUTE p('{stars}', {TOKEN})"));
        assert_eq!(
            read_on(&format!("SELECT /* {TOKEN}/ */ 1")),
            format!("SELECT /* {}/ */ 1", "x".repeat(TOKEN.len()))
        );
        assert_eq!(
            read_on("DO $$BEGIN PERFORM ringfence.login('a'); END$$"),
            "DO $$***** ******* *********.*****('*'); ***$$".replace('.', "*")
        );
        // Without an end: PostgreSQL would refuse them.
        for text in [
            "ringfence.login('",
            "ringfence.login($a$x",
            "ringfence.login(/* /* */",
            "ringfence.login(E'\\",
            "'",
            "$",
            "$$",
            "/*",
            "--",
            "\"",
        ] {
            assert_eq!(read_on(text).len(), text.len());
        }
    }

    /// The time for a text does not grow faster than the text: a few steps for each byte, whatever
    /// the text.
    #[test]
    fn long_texts_of_nothing_but_beginnings() {
        for piece in [
            "ey",
            "eyJ",
            "e",
            "U&\"",
            "U&\"\"",
            "U&\"\"/*",
            "U&\"login\"",
            "EXECUTE ",
            "execute a",
            "login",
            "login(",
            "ringfence.",
            "add_signing_key",
            "/*",
            "'",
            "$$",
            "$a",
            "eyJ.",
        ] {
            let text = piece.repeat(1_000_000 / piece.len());
            let _ = covered(&text, false);
            let _ = read_on(&text);
        }
    }
}
