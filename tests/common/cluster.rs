//! Clusters of a test's own, from the same tree as the server that `tests/run.sh` started: for what one server cannot show.

use super::{superuser, value};
use postgres::{Client, Config, NoTls};
use std::path::{Path, PathBuf};
use std::process::Command;

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

impl Drop for Cluster {
    fn drop(&mut self) {
        let mut stop = as_server(&self.binaries.join("pg_ctl"));
        let _ = stop.args(["-s", "-m", "immediate", "-D"]).arg(self.data()).arg("stop").status();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
