//! Makes random programs.

mod call;
mod expression;
mod query;
mod session;
mod write;

use crate::program::{Program, Step};
use crate::random::Random;
use crate::schema::{Schema, Type};
use crate::worlds::Kind;

pub struct Generator {
    pub schema: Schema,
    pub seed: u64,
    pub kind: Kind,
    /// Shapes that are left out.
    pub without: Vec<String>,
}

/// What one program is made with.
struct Maker<'a> {
    schema: &'a Schema,
    random: Random,
    prepared: usize,
    /// Conditions that tell that they are judged are left out.
    quiet: bool,
}

/// A column that an expression may name.
#[derive(Clone)]
struct Named {
    name: String,
    kind: Type,
}

type Shape = fn(&mut Maker) -> Vec<Step>;

/// How often which kind of statement is made.
const SHAPES: &[(usize, (&str, Shape))] = &[
    (16, ("probe", |maker| maker.probe())),
    (10, ("query", |maker| maker.query())),
    (5, ("explain", |maker| maker.explain())),
    (7, ("analyze", |maker| maker.explain_analyze())),
    (7, ("write", |maker| maker.write())),
    (3, ("merge", |maker| maker.merge())),
    (10, ("call", |maker| maker.call())),
    (6, ("field", |maker| maker.field_call())),
    (6, ("search", |maker| maker.search())),
    (2, ("stir", |maker| maker.stir())),
    (5, ("setting", |maker| maker.setting())),
    (4, ("owner", |maker| maker.owner())),
    (4, ("prepared", |maker| maker.prepared())),
    (3, ("cursor", |maker| maker.cursor())),
    (4, ("block", |maker| maker.block())),
    (4, ("temporary", |maker| maker.temporary())),
    (2, ("copy", |maker| maker.copy())),
    (2, ("place", |maker| maker.place())),
    (2, ("statistics", |maker| maker.statistics())),
    (2, ("lock", |maker| maker.lock())),
    (1, ("parallel", |maker| maker.parallel())),
    (1, ("plan", |maker| maker.printed_plan())),
];

const OF_VALUES: &[&str] = &["field", "search", "write", "query"];

impl Generator {
    pub fn program(&self, number: u64) -> Program {
        let mut random = Random::of(self.seed, number);
        let role = *random.weighted(self.kind.roles());
        let mut maker = Maker { schema: &self.schema, random, prepared: 0, quiet: self.leaves_out("effect") };
        if maker.random.chance(6) {
            let mut steps = maker.kept_plan();
            steps.retain(|step| step.fixed || !self.leaves_out(step.kind()));
            return Program { role, steps };
        }
        let mut steps = maker.beginning();
        let transactions = if maker.random.chance(80) { 1 } else { 2 };
        for transaction in 0..transactions {
            if transaction > 0 {
                steps.extend(maker.between());
            }
            steps.push(Step::fixed(if maker.random.chance(95) {
                "BEGIN"
            } else {
                "BEGIN ISOLATION LEVEL REPEATABLE READ"
            }));
            let guarded = maker.random.chance(85);
            let wanted = 1 + maker.random.below(6) + maker.random.below(6);
            let mut made = maker.entering();
            while made.len() < wanted {
                let (shape, make) = *maker.random.weighted(SHAPES);
                // Of values, which fields and search are about, the other kinds of worlds tell more.
                if self.kind != Kind::Neighbour && !OF_VALUES.contains(&shape) && maker.random.chance(30) {
                    continue;
                }
                made.extend(make(&mut maker).into_iter().map(|step| Step { shape, ..step }));
            }
            made.extend(maker.looking_back());
            for step in &mut made {
                step.guarded = guarded && !step.fixed;
            }
            steps.extend(made);
            steps.push(Step::fixed("ROLLBACK"));
        }
        steps.retain(|step| step.fixed || !self.leaves_out(step.kind()));
        Program { role, steps }
    }

    fn leaves_out(&self, kind: &str) -> bool {
        self.without.iter().any(|without| without == kind)
    }
}
