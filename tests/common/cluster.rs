//! Clusters of a test's own, from the same tree as the server that `tests/run.sh` started: for what one server cannot show.

use super::{superuser, value};
use postgres::{Client, Config, NoTls};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// A running server, reached by its socket alone; gone with its data when it is dropped.
pub struct Cluster {
    directory: PathBuf,
    binaries: PathBuf,
}

/// A command of the server's user: PostgreSQL refuses to run as root.
fn as_server(program: &Path) -> Command {
    let root = std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let mut command = Command::new(if root { Path::new("setpriv") } else { program });
    if root {
        command.args(["--reuid", "postgres", "--regid", "postgres", "--init-groups", "--"]).arg(program);
    }
    command.current_dir("/").env_remove("PGPORT");
    command
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Cluster {
    /// A new cluster, with those settings of the server.
    pub fn new(name: &str, settings: &[&str], environment: &[(&str, &str)]) -> Cluster {
        let cluster = Cluster::prepare(name);
        succeed(
            as_server(&cluster.binaries.join("initdb"))
                .args(["-N", "-U", "postgres", "-A", "trust"])
                .args(["--encoding", "UTF8", "--locale", "C.UTF-8", "-D"])
                .arg(cluster.data()),
        );
        cluster.start(settings, environment);
        cluster
    }

    /// A hot standby of this one.
    pub fn standby(&self, name: &str, settings: &[&str]) -> Cluster {
        let standby = Cluster::prepare(name);
        succeed(
            as_server(Path::new("pg_basebackup"))
                .args(["-R", "-X", "stream", "-c", "fast", "-N", "-U", "postgres", "-h"])
                .arg(&self.directory)
                .arg("-D")
                .arg(standby.data()),
        );
        standby.start(settings, &[]);
        standby
    }

    fn prepare(name: &str) -> Cluster {
        let binaries =
            value::<String>(&mut superuser("postgres"), "SELECT setting FROM pg_config WHERE name = 'BINDIR'");
        let directory = std::env::temp_dir().join(format!("ringfence.{name}.{}", std::process::id()));
        succeed(as_server(Path::new("mkdir")).arg(&directory));
        Cluster { directory, binaries: binaries.into() }
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    fn start(&self, settings: &[&str], environment: &[(&str, &str)]) {
        let own = format!("-k {} -c listen_addresses= -c fsync=off -c shared_buffers=16MB", self.directory.display());
        let options = settings.iter().fold(own, |options, setting| format!("{options} -c {setting}"));
        let log = self.directory.join("log");
        let mut command = as_server(&self.binaries.join("pg_ctl"));
        command.args(["-w", "-s", "-o", &options, "-l"]).arg(&log).arg("-D").arg(self.data()).arg("start");
        command.envs(environment.iter().copied());
        let status = command.status().expect("pg_ctl");
        assert!(status.success(), "{}", std::fs::read_to_string(&log).unwrap_or_default());
    }

    /// `kill -9` of the server and all of its processes: they end where they are. Then a start, which recovers.
    pub fn kill_and_recover(&self, settings: &[&str]) {
        let file = std::fs::read_to_string(self.data().join("postmaster.pid")).expect("postmaster.pid");
        let server: i32 = file.lines().next().and_then(|line| line.trim().parse().ok()).expect("the server's process");
        let signal = |signal: &str, processes: &[i32]| {
            let mut command = Command::new("kill");
            // One that has just ended by itself is no failure.
            command.arg(signal).args(processes.iter().map(i32::to_string)).output().expect("kill");
        };
        // Stopped first, so that it makes no further process, nor begins to recover by itself.
        signal("-STOP", &[server]);
        let mut processes: Vec<i32> = std::fs::read_dir("/proc")
            .expect("/proc")
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(|process| parent_of(*process) == Some(server))
            .collect();
        processes.push(server);
        assert!(processes.len() > 4, "the server's processes");
        signal("-KILL", &processes);
        while processes.iter().any(|process| parent_of(*process).is_some()) {
            std::thread::yield_now();
        }
        // PostgreSQL does not start while the process of its lock files is to be seen, dead or not. Somebody collects it soon, unless
        // the first process of a container never does.
        let begun = Instant::now();
        while Path::new(&format!("/proc/{server}")).exists() {
            if begun.elapsed() > Duration::from_secs(10) {
                for lock in [self.data().join("postmaster.pid"), self.directory.join(".s.PGSQL.5432.lock")] {
                    let _ = std::fs::remove_file(lock);
                }
                break;
            }
            std::thread::yield_now();
        }
        self.start(settings, &[]);
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    pub fn connect(&self, database: &str, role: &str) -> Client {
        let mut config = Config::new();
        config.host_path(&self.directory).port(5432).dbname(database).user(role);
        config.connect(NoTls).unwrap_or_else(|error| panic!("{role} cannot connect to {database}: {error}"))
    }

    /// How another cluster connects to this one.
    pub fn connection(&self, database: &str) -> String {
        format!("host={} port=5432 dbname={database} user=postgres", self.directory.display())
    }
}

/// Whether a process is there, and what started it. One that is dead and not yet collected is not there.
fn parent_of(process: i32) -> Option<i32> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    if matches!(fields.next()?, "Z" | "X") { None } else { fields.next()?.parse().ok() }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let mut stop = as_server(&self.binaries.join("pg_ctl"));
        let _ = stop.args(["-s", "-m", "immediate", "-D"]).arg(self.data()).arg("stop").status();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
