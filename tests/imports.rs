//! The files of `src/` import each other in one direction only, and none is long. Functions that SQL calls keep their SQLSTATE.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The most lines of a file.
const MOST_LINES: usize = 600;

/// Every file of `src/` by the path of its module: `session::judge` is `src/session/judge.rs`, `session` is `src/session/mod.rs`.
fn modules() -> BTreeMap<String, PathBuf> {
    fn walk(directory: &Path, found: &mut BTreeMap<String, PathBuf>) {
        for entry in std::fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let name = path.strip_prefix("src").expect("below src").with_extension("");
                let name = name.to_str().expect("UTF-8").replace('/', "::");
                found.insert(name.strip_suffix("::mod").unwrap_or(&name).to_owned(), path);
            }
        }
    }
    // Cargo begins a test in the directory of its package.
    std::env::set_current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).expect("the repository");
    let mut found = BTreeMap::new();
    walk(Path::new("src"), &mut found);
    assert!(found.contains_key("session::judge") && found.contains_key("session"), "{found:?}");
    found
}

/// The paths that a tree of `use` names: `a::{self, b::{c, d}}` names `a`, `a::b::c` and `a::b::d`.
fn paths(before: &str, tree: &str, found: &mut Vec<String>) {
    let (mut depth, mut start) = (0, 0);
    for (place, character) in tree.char_indices().chain([(tree.len(), ',')]) {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let part = tree[start..place].trim();
                start = place + 1;
                match part.split_once('{') {
                    Some((path, inner)) => paths(&format!("{before}{path}"), inner.trim_end_matches('}'), found),
                    None if part.is_empty() => (),
                    None => {
                        let path = format!("{before}{part}");
                        let path = path.split(" as ").next().unwrap_or_default();
                        found.push(path.trim_end_matches("::self").to_owned());
                    }
                }
            }
            _ => (),
        }
    }
}

/// The modules that a file imports. Unit tests are left out: they stand at its end.
fn imports(module: &str, text: &str, modules: &BTreeMap<String, PathBuf>) -> BTreeSet<String> {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let parent = module.rsplit_once("::").map_or("", |(parent, _)| parent);
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(place) = rest.find("use ") {
        let starts_line = rest[..place].rsplit('\n').next().is_some_and(|before| {
            let before = before.trim();
            before.is_empty() || before == "pub" || before.starts_with("pub(") && before.ends_with(')')
        });
        rest = &rest[place + 4..];
        if starts_line && let Some((tree, _)) = rest.split_once(';') {
            paths("", &tree.split_whitespace().collect::<Vec<_>>().join(" "), &mut found);
        }
    }
    // And by a path where it is used.
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    for used in code.flat_map(|line| line.split("crate::").skip(1)) {
        let end = used.find(|character: char| !character.is_alphanumeric() && !"_:".contains(character));
        found.push(format!("crate::{}", &used[..end.unwrap_or(used.len())]));
    }
    let named = found.iter().filter_map(|path| {
        let path = if let Some(path) = path.strip_prefix("crate::") {
            path.to_owned()
        } else if let Some(path) = path.strip_prefix("super::") {
            let (mut above, mut path) = (parent, path);
            while let Some(shorter) = path.strip_prefix("super::") {
                above = above.rsplit_once("::").map_or("", |(above, _)| above);
                path = shorter;
            }
            if above.is_empty() { path.to_owned() } else { format!("{above}::{path}") }
        } else if let Some(path) = path.strip_prefix("self::") {
            format!("{module}::{path}")
        } else {
            // Either another crate, or a module below this file.
            format!("{module}::{path}")
        };
        // The longest beginning that is a file.
        let mut path = path.as_str();
        loop {
            if modules.contains_key(path) {
                return Some(path.to_owned());
            }
            path = path.rsplit_once("::")?.0;
        }
    });
    named.filter(|imported| imported != module).collect()
}

#[test]
fn files_import_each_other_in_one_direction() {
    let modules = modules();
    let mut left: BTreeMap<String, BTreeSet<String>> = modules
        .iter()
        .map(|(module, path)| {
            let text = std::fs::read_to_string(path).expect("a file");
            (module.clone(), imports(module, &text, &modules))
        })
        .collect();
    assert!(left.values().map(BTreeSet::len).sum::<usize>() > 200, "imports are not found");
    // Files that import nothing of what is left are taken away, until only circles are left, and what stands above them. Then the same
    // from above.
    loop {
        let count = left.len();
        let names: BTreeSet<String> = left.keys().cloned().collect();
        left.retain(|_, imported| imported.iter().any(|imported| names.contains(imported)));
        let names: BTreeSet<String> = left.values().flatten().cloned().collect();
        left.retain(|module, _| names.contains(module));
        if left.len() == count {
            break;
        }
    }
    let names: BTreeSet<String> = left.keys().cloned().collect();
    let circles: Vec<String> = left
        .iter()
        .map(|(module, imported)| format!("{module} imports {:?}", imported.intersection(&names).collect::<Vec<_>>()))
        .collect();
    assert!(circles.is_empty(), "files import each other in a circle:\n{}", circles.join("\n"));
}

/// A file of `tests/`, `benches/` or `examples/` that the manifest does not name would not be run, and nobody would notice.
#[test]
fn every_program_is_in_the_manifest() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let manifest = std::fs::read_to_string(root.join("tests/Cargo.toml")).expect("tests/Cargo.toml");
    for (directory, path) in [("tests", ""), ("benches", "../benches/"), ("examples", "../examples/")] {
        for entry in std::fs::read_dir(root.join(directory)).expect(directory) {
            let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
            let line = format!("path = \"{path}{name}\"");
            assert!(!name.ends_with(".rs") || manifest.contains(&line), "tests/Cargo.toml does not have: {line}");
        }
    }
}

#[test]
fn no_file_is_long() {
    for path in modules().values() {
        let name = path.strip_prefix("src").expect("below src").to_str().expect("UTF-8");
        let lines = std::fs::read_to_string(path).expect("a file").lines().count();
        assert!(lines <= MOST_LINES, "src/{name} has {lines} lines, more than {MOST_LINES}");
    }
}

/// What the functions with that attribute return, by name. Nothing for those that return nothing.
fn returned_by(attribute: &str, text: &str) -> Vec<(String, String)> {
    let starts = text.match_indices(attribute).map(|(place, _)| &text[place..]);
    let functions = starts.filter_map(|rest| {
        let (_, rest) = rest.split_once("fn ")?;
        let (signature, _) = rest.split_once(" {\n")?;
        let name = signature.split(['(', '<']).next().unwrap_or_default();
        let returned = signature.rsplit_once(") -> ").map_or("", |(_, returned)| returned);
        let returned = returned.split_whitespace().collect::<Vec<_>>().join(" ").replace(", >", ">");
        Some((name.to_owned(), returned))
    });
    functions.collect()
}

/// pgrx passes on SQLSTATE, DETAIL and HINT of one type of error only, and of none that a trigger returns.
#[test]
fn sql_functions_keep_their_sqlstate() {
    let (mut functions, mut triggers) = (0, 0);
    for path in modules().values() {
        let text = std::fs::read_to_string(path).expect("a file");
        for (name, returned) in returned_by("#[pg_extern", &text) {
            functions += usize::from(returned.starts_with("Result<"));
            let keeps = returned.ends_with(", ErrorReport>") || !returned.contains("Result<");
            assert!(keeps, "{name}() returns {returned}: its errors would be 22000. Return Result<..., ErrorReport>");
        }
        for (name, returned) in returned_by("#[pg_trigger", &text) {
            triggers += 1;
            let keeps = returned.ends_with(", Infallible>");
            assert!(keeps, "{name}() returns {returned}: its errors would be XX000. Return Result<..., Infallible>");
        }
    }
    assert!(functions > 50 && triggers > 5, "functions are not found: {functions}, triggers: {triggers}");
}

#[test]
fn trees_of_use_are_read() {
    let mut found = Vec::new();
    paths("", "crate::a::{self, b::{c, d as e}, f::*}", &mut found);
    assert_eq!(found, ["crate::a", "crate::a::b::c", "crate::a::b::d", "crate::a::f::*"]);
}
