//! Keys: what the search index holds of a customer. A key is a hash of (owner, field, piece of a
//! text) in 64 bits. Two owners share no posting list, and neither do two fields. A query without
//! keys of a field cannot meet its values.
//!
//! | key | made of | finds |
//! |---|---|---|
//! | pairs and single characters | names, e-mails and values in scripts that write a syllable or a word as one character | any part of a word |
//! | three letters in a row | the same in other scripts | any part of a word, from three letters |
//! | four digits in a row, a selection | the same, where seven or more digits follow each other | long numbers and their parts |
//! | joint: a character that joins two words, with two characters before it or one on each side | e-mails | parts of an address that have words of one or two letters |
//! | first letter, first two letters | each word of a name | queries of one or two letters |
//! | whole word | words of a name up to 7 letters; words of a value that are no codes | whole words; typos |
//! | two to four words in a row, written together | the first eight words of a name | `vanheerden` for van Heerden, `jrr` for J. R. R. |
//! | the word without one letter, and the place of that letter | words of a name of 4 to 7 letters | typos |
//! | a part of either end, and a mark of the whole word (`long_word`) | words of a name from 8 letters | typos |
//! | first three letters, and the next three | names | the beginning of a name |
//! | sorted words | names | whole names |
//! | last four digits, and up to four before them | phone numbers | endings, whole numbers |
//! | the text as written | phones that are no numbers | whole phones |
//! | the whole address | e-mail addresses | whole addresses |
//! | an option's id | fields of options | the option, whatever its name is by then |
//! | the normal form (`form`) | fields of type phone, email, number and date | values however they are written |
//! | the day, the latest first | the last activity | the most recently active first, where a query finds many |
//!
//! Typos are found by deletion (Mor and Fraenkel 1982, SymSpell): if two words are one edit apart,
//! they become equal once each loses one letter or none. A short word has a key for each deletion.
//! The key includes the word's length and the place of the deleted letter, so a customer with such
//! a key has a word that is one edit away. A long word would need too many of these keys, so
//! `long_word` keeps less of it.
//!
//! In the index all keys of an owner are neighbours, within these all keys of a kind, and within
//! these the keys of one text in all fields. So an owner's searches and writes touch few pages,
//! whatever other owners have. A word that is looked for in every field needs hardly more pages
//! than a word that is looked for in one.
//!
//! The hash is SipHash-1-3 with a fixed key; the field is mixed in afterwards. It is the same on
//! every platform and in every version, because an index stores it. The fixed key is no secret:
//! nobody can read keys, and only `ringfence.query()` makes a query of them (see `value`).
//!
//! A change to a key needs a REINDEX.

pub mod contact;
pub mod customer;
pub mod day;
pub mod hash;
pub mod long_word;
pub mod name;
pub mod pieces;
