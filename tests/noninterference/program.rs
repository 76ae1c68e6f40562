//! What is run in both worlds: statements of one role's session.

use crate::sql::Sql;
use crate::wire;

#[derive(Clone)]
pub struct Program {
    pub role: &'static str,
    pub steps: Vec<Step>,
}

#[derive(Clone)]
pub struct Step {
    /// What kind of statement it is; `WITHOUT=...` leaves kinds out.
    pub shape: &'static str,
    pub sql: Sql,
    pub how: How,
    /// The query asks for an order of its rows that leaves no choice.
    pub ordered: bool,
    /// Within a savepoint, so that an error does not end the transaction.
    pub guarded: bool,
    /// It begins or ends a transaction, and must stay: nothing that a program does may be kept.
    pub fixed: bool,
}

#[derive(Clone)]
pub enum How {
    Simple,
    /// By the extended protocol, with parameters, and so many rows at most (0: all).
    Extended(Vec<String>, u32),
    /// COPY ... FROM STDIN of this.
    CopyIn(String),
}

impl Step {
    pub fn new(shape: &'static str, sql: Sql) -> Step {
        Step { shape, sql, how: How::Simple, ordered: false, guarded: false, fixed: false }
    }

    pub fn fixed(statement: &str) -> Step {
        Step { fixed: true, ..Step::new("frame", Sql::from(statement)) }
    }

    pub fn ordered(self) -> Step {
        Step { ordered: true, ..self }
    }

    /// The kind of statement that it is, whatever made it.
    pub fn kind(&self) -> &'static str {
        let text = self.sql.text();
        match text.strip_prefix("EXPLAIN") {
            Some(explained) if explained.contains("ANALYZE") => "analyze",
            Some(_) => "explain",
            None if text.contains("pg_stat") => "statistics",
            None => self.shape,
        }
    }

    /// What is sent, how many replies it has, and which of them is the step's own.
    pub fn messages(&self, savepoint_is_there: bool) -> (Vec<u8>, usize, usize) {
        let statement = self.sql.text();
        let own = match &self.how {
            How::Simple => wire::query(&statement),
            How::Extended(parameters, max_rows) => wire::extended(&statement, parameters, *max_rows),
            How::CopyIn(data) => wire::copy_in(&statement, data),
        };
        if !self.guarded {
            return (own, 1, 0);
        }
        // If the statement succeeds, a second savepoint of that name hides the first, and rolling back to it undoes nothing.
        let mut messages = if savepoint_is_there { Vec::new() } else { wire::query("SAVEPOINT s") };
        messages.extend(own);
        messages.extend(wire::query("SAVEPOINT s"));
        messages.extend(wire::query("ROLLBACK TO s"));
        let before = usize::from(!savepoint_is_there);
        (messages, before + 3, before)
    }
}

impl Program {
    pub fn text(&self) -> String {
        let mut text = format!("-- as {}\n", self.role);
        for step in &self.steps {
            let how = match &step.how {
                How::Simple => String::new(),
                How::Extended(parameters, 0) => format!("  -- by the extended protocol, with {parameters:?}"),
                How::Extended(parameters, rows) => {
                    format!("  -- by the extended protocol, with {parameters:?}, {rows} rows")
                }
                How::CopyIn(data) => format!("  -- {data:?}"),
            };
            let guard = if step.guarded { "  -- in a savepoint" } else { "" };
            text += &format!("{};{how}{guard}\n", step.sql.text());
        }
        text
    }

    /// Every program that is a little smaller.
    pub fn smaller(&self) -> impl Iterator<Item = Program> + '_ {
        let many = self.steps.iter().filter(|step| !step.fixed).count() > 1;
        let halves = (0..if many { 2 } else { 0 }).map(|half| {
            let mut n = 0;
            let droppable = self.steps.iter().filter(|step| !step.fixed).count();
            let mut keep = |step: &Step| {
                let nth = n;
                n += usize::from(!step.fixed);
                step.fixed || (nth < droppable / 2) == (half == 0)
            };
            Program { role: self.role, steps: self.steps.iter().filter(|step| keep(step)).cloned().collect() }
        });
        let dropped = (0..self.steps.len()).rev().filter(|at| !self.steps[*at].fixed).map(|at| {
            let mut smaller = self.clone();
            smaller.steps.remove(at);
            smaller
        });
        let plain =
            (0..self.steps.len()).filter(|at| !matches!(self.steps[*at].how, How::Simple | How::CopyIn(_))).map(|at| {
                let mut smaller = self.clone();
                smaller.steps[at].how = How::Simple;
                smaller
            });
        let simplified = (0..self.steps.len()).flat_map(move |at| {
            (0..).map_while(move |n| {
                let mut left = n;
                let sql = self.steps[at].sql.simpler(&mut left)?;
                let mut smaller = self.clone();
                smaller.steps[at].sql = sql;
                Some(smaller)
            })
        });
        halves
            .chain(dropped)
            .chain(plain)
            .chain(simplified)
            .filter(|smaller| smaller.steps.iter().any(|step| !step.fixed))
    }
}
