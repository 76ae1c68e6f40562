//! SQL as a tree that knows what may be left out or made simpler, so that a failing program can be made small.

#[derive(Clone, Debug)]
pub enum Sql {
    Text(String),
    All(Vec<Sql>),
    /// May be left out.
    Optional(Box<Sql>),
    /// May be replaced by a simpler text.
    Instead(Box<Sql>, String),
    /// Items with something between them, of which some may be left out, but for the first so many.
    List {
        items: Vec<Sql>,
        between: &'static str,
        least: usize,
    },
}

impl From<&str> for Sql {
    fn from(text: &str) -> Sql {
        Sql::Text(text.to_owned())
    }
}

impl From<String> for Sql {
    fn from(text: String) -> Sql {
        Sql::Text(text)
    }
}

/// `sql!["SELECT ", list, " FROM ", table]`
#[macro_export]
macro_rules! sql {
    ($($part:expr),* $(,)?) => { $crate::sql::Sql::All(vec![$($crate::sql::Sql::from($part)),*]) };
}

pub fn optional(part: Sql) -> Sql {
    Sql::Optional(Box::new(part))
}

pub fn instead(part: Sql, simpler: impl Into<String>) -> Sql {
    Sql::Instead(Box::new(part), simpler.into())
}

pub fn list(items: Vec<Sql>, between: &'static str) -> Sql {
    Sql::List { items, between, least: 1 }
}

impl Sql {
    pub fn write(&self, to: &mut String) {
        match self {
            Sql::Text(text) => to.push_str(text),
            Sql::All(parts) => parts.iter().for_each(|part| part.write(to)),
            Sql::Optional(part) | Sql::Instead(part, _) => part.write(to),
            Sql::List { items, between, .. } => {
                for (n, item) in items.iter().enumerate() {
                    if n > 0 {
                        to.push_str(between);
                    }
                    item.write(to);
                }
            }
        }
    }

    pub fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    /// The same with the change number `n` made, counted from the outside in; `n` is what is left to count.
    pub fn simpler(&self, n: &mut usize) -> Option<Sql> {
        let mut counted = || {
            let here = *n == 0;
            *n = n.saturating_sub(usize::from(!here));
            here
        };
        match self {
            Sql::Text(_) => None,
            Sql::All(parts) => simpler_part(parts, n).map(Sql::All),
            Sql::Optional(part) => {
                if counted() {
                    return Some(Sql::All(Vec::new()));
                }
                part.simpler(n).map(|part| Sql::Optional(Box::new(part)))
            }
            Sql::Instead(part, text) => {
                if counted() {
                    return Some(Sql::Text(text.clone()));
                }
                part.simpler(n).map(|part| Sql::Instead(Box::new(part), text.clone()))
            }
            Sql::List { items, between, least } => {
                if items.len() > *least {
                    for left_out in 0..items.len() {
                        if *n == 0 {
                            let mut items = items.clone();
                            items.remove(left_out);
                            return Some(Sql::List { items, between, least: *least });
                        }
                        *n -= 1;
                    }
                }
                simpler_part(items, n).map(|items| Sql::List { items, between, least: *least })
            }
        }
    }
}

fn simpler_part(parts: &[Sql], n: &mut usize) -> Option<Vec<Sql>> {
    for (at, part) in parts.iter().enumerate() {
        if let Some(simpler) = part.simpler(n) {
            let mut parts = parts.to_vec();
            parts[at] = simpler;
            return Some(parts);
        }
    }
    None
}
