//! A term as bytes, for a value of type `ringfence.search_query`: a list of keys, each once, and
//! code over their positions in the list.
//!
//! The code is in prefix form, in units of four bytes. A key is its position. A range is `RANGE`
//! and the positions of two keys. `ALL` and `ANY` are followed by the number of units that belong
//! to them, then by these.

use super::term::Term;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

pub struct Expression {
    pub keys: Vec<i64>,
    pub code: Vec<Unit>,
}

pub type Unit = [u8; 4];
const ALL: Unit = [0xff; 4];
const ANY: Unit = [0xfe; 4];
const RANGE: Unit = [0xfd; 4];

/// Most queries have no more keys than this: room for as many is taken at once.
const USUAL_KEYS: usize = 64;

impl Expression {
    pub fn of(term: &Term) -> Expression {
        let mut expression =
            Expression { keys: Vec::with_capacity(USUAL_KEYS), code: Vec::with_capacity(2 * USUAL_KEYS) };
        let mut positions = Positions::with_capacity_and_hasher(USUAL_KEYS, BuildHasherDefault::default());
        expression.add(term, &mut positions);
        expression
    }

    fn add(&mut self, term: &Term, positions: &mut Positions) {
        let (operator, members) = match term {
            Term::Key(key) => {
                let position = self.position(*key, positions);
                self.code.push(position);
                return;
            }
            Term::Range(first, last) => {
                let range = [RANGE, self.position(*first, positions), self.position(*last, positions)];
                self.code.extend(range);
                return;
            }
            Term::All(members) => (ALL, members),
            Term::Any(members) => (ANY, members),
        };
        let start = self.code.len();
        self.code.extend([operator, [0; 4]]);
        for member in members {
            self.add(member, positions);
        }
        self.code[start + 1] = ((self.code.len() - start - 2) as u32).to_le_bytes();
    }

    fn position(&mut self, key: i64, positions: &mut Positions) -> Unit {
        let keys = &mut self.keys;
        let position = *positions.entry(key).or_insert_with(|| {
            keys.push(key);
            keys.len() as u32 - 1
        });
        position.to_le_bytes()
    }
}

type Positions = HashMap<i64, u32, BuildHasherDefault<KeyHasher>>;

/// A cheap hasher is enough for keys, which are hashes already.
#[derive(Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_i64(&mut self, key: i64) {
        // The first bits of all keys of an owner are the same, and the map goes by these.
        self.0 = (key as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_i64((self.0 as i64).rotate_left(8) ^ i64::from(*byte)));
    }
}

/// Makes something of an expression, from the inside out: of each key, then of what it has made of
/// the members of each `ALL` and `ANY`.
pub trait Visit {
    type Node;
    type Error;

    fn key(&mut self, key: i64) -> Result<Self::Node, Self::Error>;

    fn range(&mut self, first: i64, last: i64) -> Result<Self::Node, Self::Error>;

    /// Whether the node finds nothing. Then an `ALL` with it finds nothing either, and an `ANY` is
    /// the same without it.
    fn is_nothing(node: &Self::Node) -> bool;

    /// None of the nodes finds nothing.
    fn all(nodes: Vec<Self::Node>) -> Self::Node;

    /// None of the nodes finds nothing; there may be no node.
    fn any(nodes: Vec<Self::Node>) -> Self::Node;
}

/// Visits the expression at the beginning of the code. Damaged code finds nothing.
pub fn visit<V: Visit>(
    code: &[Unit],
    key: &impl Fn(usize) -> Option<i64>,
    visitor: &mut V,
) -> Result<V::Node, V::Error> {
    match code {
        [operator @ (ALL | ANY), length, rest @ ..] => {
            let mut members = rest.get(..number(length)).unwrap_or_default();
            let is_damaged = members.is_empty();
            let mut nodes = Vec::new();
            while let Some(width) = width(members) {
                let node = visit(members, key, visitor)?;
                match (*operator == ALL, V::is_nothing(&node)) {
                    (true, true) => return Ok(node),
                    (false, true) => (),
                    (_, false) => nodes.push(node),
                }
                members = members.get(width..).unwrap_or_default();
            }
            Ok(if *operator == ALL && !is_damaged { V::all(nodes) } else { V::any(nodes) })
        }
        [RANGE, first, last, ..] => match (key(number(first)), key(number(last))) {
            (Some(first), Some(last)) => visitor.range(first, last),
            _ => Ok(V::any(Vec::new())),
        },
        [one, ..] => key(number(one)).map_or_else(|| Ok(V::any(Vec::new())), |key| visitor.key(key)),
        [] => Ok(V::any(Vec::new())),
    }
}

fn number(unit: &Unit) -> usize {
    u32::from_le_bytes(*unit) as usize
}

/// The units of the first expression in the code.
fn width(code: &[Unit]) -> Option<usize> {
    match code {
        [ALL | ANY, length, ..] => Some(2 + number(length)),
        [RANGE, ..] => Some(3),
        [_, ..] => Some(1),
        [] => None,
    }
}

#[cfg(test)]
pub mod unit_tests {
    use super::*;

    /// Evaluates an expression for a customer that has these keys.
    struct Held<'a>(&'a [i64]);

    impl Visit for Held<'_> {
        type Node = bool;
        type Error = ();

        fn key(&mut self, key: i64) -> Result<bool, ()> {
            Ok(self.0.contains(&key))
        }

        fn range(&mut self, first: i64, last: i64) -> Result<bool, ()> {
            Ok(self.0.iter().any(|key| (first..=last).contains(key)))
        }

        fn is_nothing(node: &bool) -> bool {
            !node
        }

        fn all(_: Vec<bool>) -> bool {
            true
        }

        fn any(nodes: Vec<bool>) -> bool {
            !nodes.is_empty()
        }
    }

    pub fn is_found(code: &[Unit], keys: &[i64], held: &[i64]) -> bool {
        visit(code, &|n| keys.get(n).copied(), &mut Held(held)) == Ok(true)
    }

    #[test]
    fn the_expression_is_evaluated_as_written() {
        let term = Term::All(vec![
            Term::Key(10),
            Term::Any(vec![Term::Key(20), Term::All(vec![Term::Key(30), Term::Key(10)])]),
        ]);
        let expression = Expression::of(&term);
        assert_eq!(expression.keys, [10, 20, 30]);
        let with = |held: &[i64]| is_found(&expression.code, &expression.keys, held);
        assert!(with(&[10, 20]) && with(&[10, 30]) && with(&[10, 20, 30]));
        assert!(!with(&[20, 30]) && !with(&[10]) && !with(&[]));
        assert!(!is_found(&Expression::of(&Term::NOTHING).code, &[], &[]));
        let range = Expression::of(&Term::All(vec![Term::Range(10, 12), Term::Key(20)]));
        let with = |held: &[i64]| is_found(&range.code, &range.keys, held);
        assert!(with(&[10, 20]) && with(&[12, 20]) && !with(&[13, 20]) && !with(&[9, 20]) && !with(&[11]));
        for damaged in [
            &[][..],
            &[ALL, [9; 4], [0; 4]],
            &[ALL],
            &[ALL, [0; 4]],
            &[[7, 0, 0, 0]],
            &[RANGE],
            &[RANGE, [0; 4], [9; 4]],
        ] {
            assert!(!is_found(damaged, &[10], &[10]));
        }
    }
}
