//! How well a customer matches a query.

/// The best comes last: the order is the rank.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Tier {
    TwoTypos,
    Typo,
    Substring,
    Word,
    Prefix,
    WholeName,
    Exact,
}

impl Tier {
    /// The rank that the caller sees, between 0 and 1.
    pub fn rank(self) -> f32 {
        match self {
            Tier::Exact => 1.0,
            Tier::WholeName => 0.9,
            Tier::Prefix => 0.8,
            Tier::Word => 0.7,
            Tier::Substring => 0.6,
            Tier::Typo => 0.5,
            Tier::TwoTypos => 0.4,
        }
    }

    /// The most typos in a word of a customer with this rank.
    pub fn typos(self) -> usize {
        match self {
            Tier::TwoTypos => 2,
            Tier::Typo => 1,
            _ => 0,
        }
    }
}
