//! What the tests share: connections to the throw-away cluster that `tests/run.sh` started, which the PG* environment
//! variables name.
#![allow(dead_code)]

pub mod cluster;
pub mod pooler;
pub mod random;

use postgres::error::SqlState;
use postgres::{Client, Config, NoTls};
use std::env;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Relative paths are those of the repository from here on. Cargo begins a test in the directory of its package.
pub fn at_root() {
    env::set_current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).expect("the repository");
}

/// A database of the test's own, a copy of the one that tests/fixture.sql made; gone when it is dropped.
pub struct Database {
    pub name: String,
}

impl Database {
    pub fn new(name: &str) -> Database {
        let name = format!("test_{name}");
        let mut server = superuser("postgres");
        server.batch_execute(&format!("DROP DATABASE IF EXISTS {name}")).expect("drop");
        server.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE fixture")).expect("create from the fixture");
        Database { name }
    }

    /// A session of its own, as that role.
    pub fn connect(&self, role: &str) -> Client {
        connect(&self.name, role)
    }

    pub fn superuser(&self) -> Client {
        superuser(&self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = superuser("postgres").batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run the tests by `make test`"))
}

pub fn connect(database: &str, role: &str) -> Client {
    try_connect(&variable("PGHOST"), database, role, "")
        .unwrap_or_else(|error| panic!("{role} cannot connect to {database}: {error}"))
}

/// `options` are as in PGOPTIONS.
pub fn try_connect(host: &str, database: &str, role: &str, options: &str) -> Result<Client, postgres::Error> {
    let mut config = Config::new();
    config.host(host).port(variable("PGPORT").parse().expect("a port")).dbname(database).user(role);
    if !options.is_empty() {
        config.options(options);
    }
    config.connect(NoTls)
}

pub fn superuser(database: &str) -> Client {
    connect(database, "postgres")
}

/// The single value of a query.
pub fn value<T>(client: &mut Client, query: &str) -> T
where
    T: for<'a> postgres::types::FromSql<'a>,
{
    client.query_one(query, &[]).unwrap_or_else(|error| panic!("{query}: {error:?}")).get(0)
}

/// The SQLSTATE that a statement fails with.
pub fn refused(client: &mut Client, statement: &str) -> String {
    match client.batch_execute(statement) {
        Ok(()) => panic!("{statement} was not refused"),
        Err(error) => error.code().map_or("no SQLSTATE", SqlState::code).to_owned(),
    }
}

/// Runs statements that must succeed.
pub fn run(client: &mut Client, statements: &str) {
    client.batch_execute(statements).unwrap_or_else(|error| panic!("{statements}: {error:?}"));
}

/// A file of the server's log (server.log, server.csv or server.json), with all that was logged until now.
pub fn server_log(file: &str) -> String {
    static MARKS: AtomicUsize = AtomicUsize::new(0);
    let mark = format!("mark {} of process {}", MARKS.fetch_add(1, Ordering::Relaxed), std::process::id());
    // What is logged goes to the collector in order: once it has written this, it has written what was before.
    run(&mut superuser("postgres"), &format!("DO $$BEGIN RAISE LOG '{mark}'; END$$"));
    let path = std::path::Path::new(&variable("RINGFENCE_LOG_DIRECTORY")).join(file);
    for _ in 0..1_000_000 {
        let log = String::from_utf8_lossy(&std::fs::read(&path).expect("the server's log")).into_owned();
        if log.contains(&mark) {
            return log;
        }
        std::thread::yield_now();
    }
    panic!("{file}: {mark} was not written");
}

/// Where `pgrx-config/clients.sh` has installed the client libraries.
pub fn clients() -> PathBuf {
    PathBuf::from(variable("RINGFENCE_CLIENTS"))
}

/// Node.js: the machine's, or the one of `pgrx-config/clients.sh` where the machine had none.
pub fn node_program() -> PathBuf {
    let installed = clients().join("python/bin/node");
    if installed.exists() { installed } else { PathBuf::from("node") }
}
