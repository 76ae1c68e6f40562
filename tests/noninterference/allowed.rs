//! What PostgreSQL itself shows to every role, and no extension can hide: it is not compared. Each is pinned here: what no longer
//! differs between the worlds must go from this list, and from docs/limits.md.

use crate::wire::Connection;
use crate::worlds::Templates;
use std::io;

struct Allowed {
    what: &'static str,
    statement: &'static str,
}

const ALLOWED: &[Allowed] = &[
    Allowed {
        what: "the size of a table's file and of its indexes, which is that of all owners' rows",
        statement: "SELECT pg_relation_size('ringfence.customer')",
    },
    Allowed {
        what: "the same as VACUUM and ANALYZE noted it in pg_class",
        statement: "SELECT relpages, reltuples FROM pg_class WHERE oid = 'ringfence.customer'::regclass",
    },
    Allowed {
        what: "transaction ids, which all sessions of the server take from one counter",
        statement: "SELECT pg_current_xact_id()",
    },
    Allowed {
        what: "which locks others hold, on which table (pg_locks)",
        statement: "SELECT count(*) FROM pg_locks WHERE relation = 'ringfence.customer'::regclass AND pid <> pg_backend_pid() AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    },
];

/// Those that are the same in both worlds.
pub fn no_longer_true(templates: &Templates) -> io::Result<Vec<&'static str>> {
    let databases = [templates.copy(false, true)?, templates.copy(true, true)?];
    // Another owner's session at work, in the world where there is one.
    let mut other = Connection::open(&databases[1], "postgres", "")?;
    other.run("BEGIN; LOCK TABLE ringfence.customer IN ROW SHARE MODE")?;
    let mut gone = Vec::new();
    for Allowed { what, statement } in ALLOWED {
        let seen = |database: &str| Connection::open(database, "ni_agent", "")?.rows(statement);
        if seen(&databases[0])? == seen(&databases[1])? {
            gone.push(*what);
        }
    }
    drop(other);
    templates.done_with(&databases)?;
    Ok(gone)
}
