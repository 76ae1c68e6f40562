//! Two databases that differ in one thing only, which sessions of owner A's roles must not be able to tell.

use crate::wire::Connection;
use std::io;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// What differs between the worlds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Other owners are there or not.
    Neighbour,
    /// Customers' values of masked fields.
    Masked,
    /// Customers' values of a field of another project.
    Hidden,
    /// Nothing: what differs is a fault of the test itself.
    Nothing,
}

impl Kind {
    /// Those that are run where none is asked for.
    pub const USUAL: [Kind; 3] = [Kind::Neighbour, Kind::Masked, Kind::Hidden];
    pub const ALL: [Kind; 4] = [Kind::Neighbour, Kind::Masked, Kind::Hidden, Kind::Nothing];

    pub fn name(self) -> &'static str {
        match self {
            Kind::Neighbour => "neighbour",
            Kind::Masked => "masked",
            Kind::Hidden => "hidden",
            Kind::Nothing => "nothing",
        }
    }

    /// The roles that may not tell, each as often as its weight says.
    pub fn roles(self) -> &'static [(usize, &'static str)] {
        match self {
            Kind::Neighbour | Kind::Nothing => &[
                (6, "ni_agent"),
                (4, "ni_supervisor"),
                (5, "ni_admin"),
                (2, "ni_trainee"),
                (3, "ni_fields"),
                (1, "ni_none"),
                (3, "ni_both"),
                (2, "ni_sales"),
                (2, "ni_propose"),
            ],
            Kind::Masked => &[
                (3, "ni_agent"),
                (1, "ni_trainee"),
                (5, "ni_fields"),
                (1, "ni_none"),
                (2, "ni_sales"),
                (2, "ni_propose"),
            ],
            Kind::Hidden => &[(1, "ni_sales")],
        }
    }
}

/// The databases that every pair is a copy of.
pub struct Templates {
    prefix: String,
    kind: Kind,
    copies: AtomicUsize,
    old: Mutex<Vec<String>>,
}

/// Copies that are not dropped yet, for dropping one that is still in use takes long.
const KEPT_COPIES: usize = 12;

pub fn superuser(database: &str) -> io::Result<Connection> {
    Connection::open(database, "postgres", "-c client_min_messages=warning")
}

impl Templates {
    pub fn make(kind: Kind) -> io::Result<Templates> {
        let templates = Templates {
            prefix: format!("noninterference_{}", kind.name()),
            kind,
            copies: AtomicUsize::new(0),
            old: Mutex::default(),
        };
        let base = format!("{}_base", templates.prefix);
        templates.drop()?;
        superuser("postgres")?.run(&format!("CREATE DATABASE {base}"))?;
        script(&base, "-c", "CREATE EXTENSION ringfence", &[])?;
        script(&base, "-f", "roles.sql", &[])?;
        for with in [false, true] {
            let analysed = templates.name(with, true);
            superuser("postgres")?.run(&format!("CREATE DATABASE {analysed} TEMPLATE {base}"))?;
            templates.fill(&analysed, with)?;
            superuser("postgres")?
                .run(&format!("CREATE DATABASE {} TEMPLATE {analysed}", templates.name(with, false)))?;
            script(&analysed, "-c", "VACUUM ANALYZE", &[])?;
        }
        superuser("postgres")?.run(&format!("DROP DATABASE {base}"))?;
        Ok(templates)
    }

    /// The template of a world: with what sessions must not be able to tell, or without; analysed, or as it was filled.
    pub fn name(&self, with: bool, analysed: bool) -> String {
        format!(
            "{}_{}_{}",
            self.prefix,
            if with { "with" } else { "without" },
            if analysed { "analysed" } else { "filled" }
        )
    }

    /// A new copy; older ones go, as soon as their sessions have had the time to end.
    pub fn copy(&self, with: bool, analysed: bool) -> io::Result<String> {
        let number = self.copies.fetch_add(1, Ordering::Relaxed);
        let copy = format!("{}_copy{number}_{}", self.prefix, if with { "with" } else { "without" });
        let mut server = superuser("postgres")?;
        server.run(&format!("CREATE DATABASE {copy} TEMPLATE {}", self.name(with, analysed)))?;
        // What programs are refused would fill the server's log.
        server.run(&format!("ALTER DATABASE {copy} SET log_min_messages = panic"))?;
        // EXPLAIN shows it where pg_stat_statements is loaded, and it is made of oids.
        server.run(&format!("ALTER DATABASE {copy} SET compute_query_id = off"))?;
        Ok(copy)
    }

    pub fn done_with(&self, databases: &[String]) -> io::Result<()> {
        let mut old = self.old.lock().unwrap_or_else(PoisonError::into_inner);
        old.extend(databases.iter().cloned());
        let gone: Vec<String> = if old.len() > KEPT_COPIES { old.drain(..2).collect() } else { Vec::new() };
        drop(old);
        let mut server = superuser("postgres")?;
        gone.iter().try_for_each(|copy| server.run(&format!("DROP DATABASE {copy} WITH (FORCE)")))
    }

    /// The same for both worlds, but for what `with` decides. Other owners' rows lie before owner A's, in the heap and in the
    /// indexes, and behind them.
    fn fill(&self, database: &str, with: bool) -> io::Result<()> {
        let neighbours = with || self.kind != Kind::Neighbour;
        let shift = |kind| if self.kind == kind && with { "1" } else { "0" };
        let before = [("letter", "1"), ("name", "Company B")];
        let behind = [("letter", "f"), ("name", "Company E")];
        let customers = |owner: &[(&'static str, &'static str); 2], first, last| {
            [owner[0], owner[1], ("first", first), ("last", last)]
        };
        script(database, "-f", "begin.sql", &[])?;
        script(database, "-f", "people.sql", &[])?;
        if neighbours {
            script(database, "-f", "owner_b.sql", &before)?;
            script(database, "-f", "customers_b.sql", &customers(&before, "1", "200"))?;
        }
        let shifts =
            [("customers", "200"), ("masked_shift", shift(Kind::Masked)), ("hidden_shift", shift(Kind::Hidden))];
        script(database, "-f", "owner_a.sql", &shifts)?;
        if neighbours {
            script(database, "-f", "customers_b.sql", &customers(&before, "201", "300"))?;
            script(database, "-f", "owner_b.sql", &behind)?;
            script(database, "-f", "customers_b.sql", &customers(&behind, "1", "100"))?;
        }
        script(database, "-f", "end.sql", &[])
    }

    /// Drops all databases of this kind.
    pub fn drop(&self) -> io::Result<()> {
        let mut server = superuser("postgres")?;
        let ours = format!("SELECT datname FROM pg_database WHERE starts_with(datname, '{}_')", self.prefix);
        for row in server.rows(&ours)? {
            if let Some(Some(name)) = row.into_iter().next() {
                server.run(&format!("DROP DATABASE {name} WITH (FORCE)"))?;
            }
        }
        Ok(())
    }
}

/// The roles are the cluster's, and stay behind when the databases go.
pub fn drop_roles() -> io::Result<()> {
    let mut server = superuser("postgres")?;
    for row in server.rows("SELECT rolname FROM pg_roles WHERE rolname LIKE 'ni\\_%'")? {
        if let Some(Some(name)) = row.into_iter().next() {
            server.run(&format!("DROP ROLE {name}"))?;
        }
    }
    Ok(())
}

fn script(database: &str, option: &str, what: &str, variables: &[(&str, &str)]) -> io::Result<()> {
    let mut psql = Command::new("psql");
    psql.args(["-q", "-X", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database, "-o", "/dev/null"]);
    for (name, value) in variables {
        psql.arg("-v").arg(format!("{name}={value}"));
    }
    let what = match option {
        "-f" => format!("{}/noninterference/worlds/{what}", env!("CARGO_MANIFEST_DIR")),
        _ => what.to_owned(),
    };
    psql.env("PGOPTIONS", "-c client_min_messages=warning");
    let output = psql.args([option, &what]).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("{database}: {what}: {}", String::from_utf8_lossy(&output.stderr))))
}
