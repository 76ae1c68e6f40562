//! What clients do that break the rules of a pool in transaction mode: they leave something behind in a connection that
//! somebody else gets next.

use super::fixture::{NOBODY, OWNERS, canary, owner_name};
use super::plan::{Delivery, Ending, Expect, Kind, Plan, Planner, Step, Way};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Sin {
    SetForSession,
    SetInTransaction,
    SetBothWays,
    SetProject,
    SetAgent,
    SetRole,
    SetSearchPath,
    SetRowSecurity,
    SetReadOnly,
    SetPlans,
    Chain,
    HeldCursor,
    HeldCursorFirst,
    FetchHeld,
    TempTable,
    TempTableAsOurs,
    ReadCopy,
    Prepare,
    Execute,
    ExecuteUnbound,
    Listen,
    Notify,
    AdvisoryLock,
    PrepareTransaction,
    GoneInTransaction,
    GoneInStatement,
    /// What a pooler sends between sessions, and would heal all of it.
    DiscardAll,
}

pub const SINS: [(Sin, usize); 27] = [
    (Sin::SetForSession, 8),
    (Sin::SetInTransaction, 6),
    (Sin::SetBothWays, 6),
    (Sin::SetProject, 3),
    (Sin::SetAgent, 3),
    (Sin::SetRole, 2),
    (Sin::SetSearchPath, 4),
    (Sin::SetRowSecurity, 2),
    (Sin::SetReadOnly, 1),
    (Sin::SetPlans, 3),
    (Sin::Chain, 5),
    (Sin::HeldCursor, 5),
    (Sin::HeldCursorFirst, 5),
    (Sin::FetchHeld, 5),
    (Sin::TempTable, 4),
    (Sin::TempTableAsOurs, 4),
    (Sin::ReadCopy, 5),
    (Sin::Prepare, 5),
    (Sin::Execute, 5),
    (Sin::ExecuteUnbound, 5),
    (Sin::Listen, 3),
    (Sin::Notify, 3),
    (Sin::AdvisoryLock, 3),
    (Sin::PrepareTransaction, 4),
    (Sin::GoneInTransaction, 4),
    (Sin::GoneInStatement, 4),
    (Sin::DiscardAll, 20),
];

impl Sin {
    /// The client disconnects when it has done so.
    pub fn disconnects(self) -> bool {
        matches!(self, Sin::GoneInTransaction | Sin::GoneInStatement)
    }
}

/// Under way when the client is gone.
pub const LAST_STATEMENT: &str =
    "SELECT count(*) FROM ringfence.customer_card AS a, ringfence.customer_card AS b, ringfence.customer_card AS c";

pub fn sin(kind: Sin, planner: &mut Planner, ways: &[Way]) -> Plan {
    let owner = planner.random.below(OWNERS);
    let own = canary(owner);
    // By name: what is set for the session is told to everybody there, by SHOW and in errors.
    let (name, other) = (owner_name(owner), owner_name((owner + 1) % OWNERS));
    let way = planner.random.of(ways);
    let bind = planner.bind(way, owner);
    let bind = || Step { expect: Expect::Anything, ..bind.clone() };
    let any = |sql: &str| Step::anything(sql);
    let set_owner = || Step::anything(format!("SET ringfence.owner = '{name}'"));
    let card = "SELECT c::text FROM ringfence.customer_card AS c";
    // What would read rows if anything left behind counted.
    let refused = || Step::new(card, &[], Expect::Refused(&["42501", "25P02"]));
    let steps = match kind {
        Sin::SetForSession => vec![set_owner(), refused(), any("SELECT w::text FROM ringfence.whoami() AS w")],
        // Neither in the transaction that sets it for the session, nor in the next.
        Sin::SetInTransaction if planner.random.one_in(2) => {
            vec![any("BEGIN"), set_owner(), refused(), any("COMMIT")]
        }
        Sin::SetInTransaction => {
            vec![any("BEGIN"), set_owner(), any("COMMIT"), any("BEGIN"), refused(), any("COMMIT")]
        }
        // The owner of the session is another one than that of the transaction.
        Sin::SetBothWays => vec![
            any("BEGIN"),
            Step::anything(format!("SET ringfence.owner = '{other}'")),
            Step::anything(format!("SET LOCAL ringfence.owner = '{name}'")),
            any(card),
            any("COMMIT"),
            refused(),
        ],
        Sin::SetProject => {
            let project = planner.random.of(&["Default", "No Such"]);
            vec![Step::anything(format!("SET ringfence.project = '{project}'")), refused()]
        }
        Sin::SetAgent => {
            vec![any("SET ringfence.agent = 'somebody'"), any("SET ringfence.source = 'somewhere'"), refused()]
        }
        Sin::SetRole => vec![Step::anything(format!("SET ROLE {NOBODY}")), refused()],
        Sin::SetSearchPath => vec![
            any("SET search_path = pg_temp, ringfence"),
            any("BEGIN"),
            bind(),
            any("SELECT c::text FROM customer_card AS c"),
            any("SELECT s::text FROM search_customers('fixed') AS s"),
            any("COMMIT"),
        ],
        Sin::SetRowSecurity => vec![any("SET row_security = off"), refused()],
        Sin::SetReadOnly => vec![any("SET default_transaction_read_only = on"), refused()],
        Sin::SetPlans => {
            let mode = planner.random.of(&["force_generic_plan", "force_custom_plan"]);
            vec![Step::anything(format!("SET plan_cache_mode = {mode}")), refused()]
        }
        Sin::Chain => vec![any("BEGIN"), bind(), any(card), any("COMMIT AND CHAIN"), refused(), any("ROLLBACK")],
        Sin::HeldCursor => vec![
            any("BEGIN"),
            bind(),
            // Refused here, or in a backend that has not met ringfence yet where it would be filled.
            Step::anything(format!("DECLARE held CURSOR WITH HOLD FOR {card}")),
            any("COMMIT"),
        ],
        // Declared before there is an owner; what would fill it comes after. COMMIT may also be the end of a failed
        // transaction: that there is no such cursor, FetchHeld sees.
        Sin::HeldCursorFirst => {
            let fill = planner.random.of(&["FETCH 1 FROM held", "COMMIT"]);
            vec![
                any("BEGIN"),
                // Tables are not even planned without an owner.
                any("DECLARE held CURSOR WITH HOLD FOR SELECT s::text FROM ringfence.search_customers('fixed') AS s"),
                bind(),
                any(fill),
                any("COMMIT"),
            ]
        }
        Sin::FetchHeld => vec![Step::new("FETCH ALL FROM held", &[], Expect::Refused(&["34000"]))],
        Sin::TempTable => {
            vec![any("BEGIN"), bind(), Step::anything(format!("CREATE TEMP TABLE copy AS {card}")), any("COMMIT")]
        }
        // By the names of ours, for whatever does not say which it means.
        Sin::TempTableAsOurs => {
            let name = planner.random.of(&["customer", "company", "access", "owner"]);
            vec![
                any("BEGIN"),
                bind(),
                Step::anything(format!("CREATE TEMP TABLE {name} AS SELECT * FROM ringfence.customer_card")),
                any("COMMIT"),
                any("BEGIN"),
                bind(),
                any("SELECT s::text FROM ringfence.search_customers('fixed') AS s"),
                any("SELECT w::text FROM ringfence.whoami() AS w"),
                any("COMMIT"),
            ]
        }
        Sin::ReadCopy => vec![Step::new("SELECT c::text FROM pg_temp.copy AS c", &[], Expect::Copy)],
        Sin::Prepare => vec![Step::anything(format!("PREPARE theirs AS {card}"))],
        Sin::Execute => vec![any("BEGIN"), bind(), any("EXECUTE theirs"), any("COMMIT")],
        Sin::ExecuteUnbound => {
            vec![Step::new("EXECUTE theirs", &[], Expect::Refused(&["26000", "42501"]))]
        }
        Sin::Listen => vec![any("LISTEN news")],
        Sin::Notify => vec![any("NOTIFY news, 'to whom it may concern'")],
        Sin::AdvisoryLock => vec![any("SELECT pg_try_advisory_lock(34)")],
        Sin::PrepareTransaction => vec![
            any("BEGIN"),
            bind(),
            Step::new("INSERT INTO ringfence.customer_card (name) VALUES ($1)", &[&own], Expect::Anything),
            // After an error before, it is a rollback.
            Step::new("PREPARE TRANSACTION 'left behind'", &[], Expect::Anything),
            any("ROLLBACK"),
        ],
        Sin::GoneInTransaction | Sin::GoneInStatement => vec![
            any("BEGIN"),
            bind(),
            Step::new("INSERT INTO ringfence.customer_card (name) VALUES ($1)", &[&own], Expect::Anything),
        ],
        Sin::DiscardAll => vec![any("DISCARD ALL"), refused()],
    };
    Plan {
        kind: Kind::BreaksRules,
        owner,
        way,
        delivery: Delivery::Loose,
        steps,
        ending: Ending::RollBack,
        inserted: None,
        deleted: None,
    }
}
