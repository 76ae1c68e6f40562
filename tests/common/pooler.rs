//! PgBouncer in front of the throw-away cluster, for one test.

use super::variable;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

/// In transaction mode, with a socket in a directory of its own and no port; gone when it is dropped.
pub struct Pooler {
    process: Child,
    directory: PathBuf,
}

impl Pooler {
    /// `size` server connections for each role and database. Only these roles may connect. `settings` are further lines
    /// of its configuration.
    pub fn start(name: &str, size: usize, roles: &[&str], settings: &str) -> Pooler {
        let socket = PathBuf::from(variable("PGHOST"));
        let port = variable("PGPORT");
        let directory = socket.parent().expect("the work directory").join(format!("pooler_{name}"));
        fs::create_dir(&directory).expect("a directory for the pooler");
        let users: String = roles.iter().map(|role| format!("\"{role}\" \"\"\n")).collect();
        let place = directory.display();
        let configuration = format!(
            "[databases]\n\
             * = host={host} port={port}\n\
             [pgbouncer]\n\
             unix_socket_dir = {place}\n\
             listen_port = {port}\n\
             auth_type = trust\n\
             auth_file = {place}/users\n\
             pool_mode = transaction\n\
             default_pool_size = {size}\n\
             max_client_conn = 500\n\
             log_connections = 0\n\
             log_disconnections = 0\n\
             {settings}\n",
            host = socket.display(),
        );
        fs::write(directory.join("users"), users).expect("users");
        fs::write(directory.join("pgbouncer.ini"), configuration).expect("configuration");
        let process = spawn(&directory, &socket);
        Pooler { process, directory }
    }

    pub fn host(&self) -> &Path {
        &self.directory
    }

    /// A session of a role, through the pooler.
    pub fn connect(&self, database: &super::Database, role: &str) -> postgres::Client {
        super::try_connect(&self.directory.display().to_string(), &database.name, role, "")
            .unwrap_or_else(|error| panic!("{role} cannot connect through the pooler: {error:?}"))
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Runs it as who runs the server, which is not root, and until it listens.
fn spawn(directory: &Path, socket: &Path) -> Child {
    let server = fs::metadata(socket).expect("the server's socket directory");
    let ours = fs::metadata(directory).expect("the pooler's directory").uid();
    let mut command = Command::new("setpriv");
    // It goes with the test, also when that is killed.
    command.args(["--pdeathsig", "TERM"]);
    if ours != server.uid() {
        chown(directory, Some(server.uid()), Some(server.gid())).expect("chown");
        command.args([
            format!("--reuid={}", server.uid()),
            format!("--regid={}", server.gid()),
            "--clear-groups".to_owned(),
        ]);
    }
    // Debian has it in a directory that is not on everybody's PATH.
    let path = format!("{}:/usr/sbin", variable("PATH"));
    let mut process = command
        .arg("pgbouncer")
        .arg(directory.join("pgbouncer.ini"))
        .env("PATH", path)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("setpriv");
    let mut log = BufReader::new(process.stderr.take().expect("its log")).lines().map_while(Result::ok);
    let mut said = Vec::new();
    loop {
        match log.next() {
            Some(line) if line.contains("process up") => break,
            Some(line) => said.push(line),
            None => panic!("pgbouncer does not start:\n{}", said.join("\n")),
        }
    }
    // Read on, or it would wait for somebody who does.
    thread::spawn(move || log.for_each(drop));
    process
}
