//! Search cursors: the end of a page, as opaque text.
//!
//! A cursor tells no more than its row has shown, and gives no rights: rows are read under
//! row-level security, whatever it says. By its checksum a damaged cursor, or one of another
//! search, is told from a good one.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// The place of a row in the order of pages. The next page begins exactly behind it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Cursor {
    pub rank: f32,
    /// Microseconds since 2000-01-01, as PostgreSQL counts. The least number means that there was
    /// no activity.
    pub last_activity: i64,
    pub id: [u8; 16],
}

const BYTES: usize = 4 + 8 + 16 + 8;

impl Cursor {
    /// The text of the cursor, for the search for that query among the customers of that owner.
    pub fn encode(&self, owner: &[u8; 16], query: &str) -> String {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.extend(self.rank.to_be_bytes());
        bytes.extend(self.last_activity.to_be_bytes());
        bytes.extend(self.id);
        bytes.extend(checksum(owner, query, &bytes).to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// None if the text is no cursor of that search.
    pub fn decode(owner: &[u8; 16], query: &str, text: &str) -> Option<Cursor> {
        let bytes: [u8; BYTES] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
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

/// SipHash-1-3 with a fixed key. Unlike the standard library's hasher, it is the same on every
/// server and in every version.
fn checksum(owner: &[u8; 16], query: &str, content: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new_with_key(b"ringfence cursor");
    hasher.write(owner);
    hasher.write(query.as_bytes());
    hasher.write(&[0xff]);
    hasher.write(content);
    hasher.finish()
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
            forged[n] = if forged[n] == b'A' { b'B' } else { b'A' };
            assert_eq!(Cursor::decode(&[1; 16], "tsai", &String::from_utf8(forged).expect("ASCII")), None, "{n}");
        }
        for forged in ["", "00", &"A".repeat(48), &"é".repeat(24), &text.to_lowercase()] {
            assert_eq!(Cursor::decode(&[1; 16], "tsai", forged), None, "{forged}");
        }
    }
}
