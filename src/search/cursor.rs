//! Search cursors: where a page ended, as opaque text.
//!
//! A cursor carries nothing that its row did not show, and gives no authority: rows come from under row-level
//! security whatever it says. The checksum is there to tell a damaged cursor, or one of another search, from a good one.

/// The sort key of a row: a page continues exactly behind it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Cursor {
    pub rank: f32,
    /// Microseconds since 2000-01-01, as PostgreSQL counts; its minimum is "never".
    pub last_activity: i64,
    pub id: [u8; 16],
}

const BYTES: usize = 4 + 8 + 16 + 8;

impl Cursor {
    /// For that search: the query, and the owner whose customers it went through.
    pub fn encode(&self, owner: &[u8; 16], query: &str) -> String {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.extend(self.rank.to_be_bytes());
        bytes.extend(self.last_activity.to_be_bytes());
        bytes.extend(self.id);
        bytes.extend(checksum(owner, query, &bytes).to_be_bytes());
        let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
        bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
    }

    pub fn decode(owner: &[u8; 16], query: &str, text: &str) -> Option<Cursor> {
        if text.len() != 2 * BYTES || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        let bytes: Vec<u8> =
            (0..BYTES).map(|n| u8::from_str_radix(text.get(2 * n..2 * n + 2)?, 16).ok()).collect::<Option<_>>()?;
        let (content, sum) = bytes.split_at(BYTES - 8);
        if sum != checksum(owner, query, content).to_be_bytes() {
            return None;
        }
        Some(Cursor {
            rank: f32::from_be_bytes(content[..4].try_into().ok()?),
            last_activity: i64::from_be_bytes(content[4..12].try_into().ok()?),
            id: content[12..].try_into().ok()?,
        })
    }
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo): the same on every server and version, unlike the standard library's hasher.
fn checksum(owner: &[u8; 16], query: &str, content: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let seed = owner.iter().chain(query.as_bytes()).fold(0xcbf2_9ce4_8422_2325, step);
    content.iter().fold(step(seed, &0xff), step)
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn only_the_same_search_reads_it_back() {
        let cursor = Cursor { rank: 0.8, last_activity: i64::MIN, id: [9; 16] };
        let text = cursor.encode(&[1; 16], "tsai");
        assert_eq!(Cursor::decode(&[1; 16], "tsai", &text), Some(cursor));
        assert_eq!(Cursor::decode(&[1; 16], "chen", &text), None);
        assert_eq!(Cursor::decode(&[2; 16], "tsai", &text), None);
        for n in 0..text.len() {
            let mut forged = text.clone().into_bytes();
            forged[n] = if forged[n] == b'0' { b'1' } else { b'0' };
            assert_eq!(Cursor::decode(&[1; 16], "tsai", &String::from_utf8(forged).expect("ASCII")), None, "{n}");
        }
        for forged in ["", "00", &"0".repeat(72), &"é".repeat(36), &text.to_uppercase()] {
            assert_eq!(Cursor::decode(&[1; 16], "tsai", forged), None, "{forged}");
        }
    }
}
