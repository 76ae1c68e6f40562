//! Each recipe of docs/orm.md does what it says, against the real library. The code is taken from the document itself:
//! a block ```` ```python app.py ```` is the file app.py, and a program in tests/orm tries it.
//!
//! Recipes whose libraries take long to install are ignored here; `make test-clients` runs them too.

mod common;
use common::{at_root, clients, node_program, run, superuser};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The files of the document, by name.
fn files() -> &'static BTreeMap<String, String> {
    static FILES: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    FILES.get_or_init(|| {
        at_root();
        let document = std::fs::read_to_string("docs/orm.md").expect("docs/orm.md");
        let mut files = BTreeMap::new();
        let mut open: Option<String> = None;
        for line in document.lines() {
            match (line.strip_prefix("```"), &open) {
                (Some(info), None) => {
                    let (_, name) = info.split_once(' ').unwrap_or_else(|| panic!("a block without a file: {info}"));
                    assert!(files.insert(name.to_owned(), String::new()).is_none(), "{name} is there twice");
                    open = Some(name.to_owned());
                }
                (Some(_), Some(_)) => open = None,
                (None, Some(name)) => {
                    let text = files.get_mut(name).expect("an open file");
                    text.push_str(line);
                    text.push('\n');
                }
                (None, None) => (),
            }
        }
        files
    })
}

/// Which test tries which files of the document.
const RECIPES: [(&str, &[&str]); 16] = [
    ("the_view", &["view.sql"]),
    ("sqlalchemy", &["sqlalchemy_app.py", "sqlalchemy_suite.py"]),
    ("django", &["owner_middleware.py", "models.py", "admin.py", "django_suite.py"]),
    ("pandas", &["report.py"]),
    ("node_postgres", &["node_postgres.js"]),
    ("knex", &["knex_app.js"]),
    ("sequelize", &["sequelize_app.js"]),
    ("typeorm", &["typeorm_app.js"]),
    ("drizzle", &["drizzle_app.js", "drizzle.config.js"]),
    ("sqlx", &["sqlx_app.rs"]),
    ("rails", &["rails_app.rb"]),
    ("eloquent", &["eloquent_app.php"]),
    ("eclipselink", &["Customer.java", "Owners.java", "META-INF/persistence.xml"]),
    ("pgx", &["pgx_app.go"]),
    ("postgraphile", &["postgraphile_app.js"]),
    ("dbt", &["bi_schema.sql", "profiles.yml", "models/customers_by_plan.sql"]),
];

#[test]
fn every_block_of_the_document_is_tried() {
    let mut tried: Vec<&str> = RECIPES.iter().flat_map(|(_, files)| files.iter().copied()).collect();
    tried.sort_unstable();
    assert_eq!(files().keys().map(String::as_str).collect::<Vec<_>>(), tried);
}

/// The password of the roles that these tests make.
const PASSWORD: &str = "the application's password";

/// A database with the view of the document and roles as it names them, which each recipe gets a copy of.
fn template() -> &'static str {
    static TEMPLATE: OnceLock<()> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let mut server = superuser("postgres");
        run(&mut server, "DROP DATABASE IF EXISTS test_orm");
        run(&mut server, "CREATE DATABASE test_orm TEMPLATE fixture");
        let mut database = superuser("test_orm");
        let quoted = PASSWORD.replace('\'', "''");
        for role in ["desk_app", "desk_suite", "desk_bi_a", "desk_bi_b"] {
            run(&mut database, &format!("DROP ROLE IF EXISTS {role}"));
            run(&mut database, &format!("CREATE ROLE {role} LOGIN PASSWORD '{quoted}'"));
        }
        run(&mut database, "ALTER ROLE desk_suite SET ringfence.latch = 'statement'");
        run(&mut database, &files()["view.sql"]);
        run(
            &mut database,
            "SET ROLE dba;
             DO $$
             BEGIN
                 PERFORM ringfence.grant_access('desk_app', 'Company A', '{agent}');
                 PERFORM ringfence.grant_access('desk_app', 'Company B', '{agent}');
                 PERFORM ringfence.grant_access('desk_suite', 'Company A', '{agent}');
                 PERFORM ringfence.grant_access('desk_suite', 'Company B', '{agent}');
                 PERFORM ringfence.grant_access('desk_bi_a', 'Company A', '{sponsor}', binding => 'session');
                 PERFORM ringfence.grant_access('desk_bi_b', 'Company B', '{sponsor}', binding => 'session');
             END $$;
             SET ROLE boss_a;
             DO $$
             BEGIN
                 PERFORM ringfence.create_field('Plan', projects => '{Default}');
             END $$;
             RESET ROLE",
        );
    });
    "test_orm"
}

struct Recipe {
    name: &'static str,
    directory: PathBuf,
}

impl Recipe {
    /// A database of its own, and a directory with the files of the document and the program that tries them.
    fn new(name: &'static str) -> Recipe {
        at_root();
        let template = template();
        let mut server = superuser("postgres");
        run(&mut server, &format!("DROP DATABASE IF EXISTS test_orm_{name}"));
        run(&mut server, &format!("CREATE DATABASE test_orm_{name} TEMPLATE {template}"));
        let directory = std::env::temp_dir().join(format!("ringfence-orm-{}-{name}", std::process::id()));
        let (_, of_recipe) = RECIPES.iter().find(|(recipe, _)| *recipe == name).expect("a recipe");
        for file in *of_recipe {
            let path = directory.join(file);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("create");
            std::fs::write(path, &files()[*file]).expect("write");
        }
        let programs = Path::new("tests/orm").join(name);
        if programs.exists() {
            copy(&programs, &directory);
        }
        Recipe { name, directory }
    }

    /// Runs a program of the recipe, as the application that it is about would run.
    fn try_by(&self, program: impl AsRef<Path>, arguments: &[&str]) {
        self.done(Command::new(program.as_ref()).args(arguments));
    }

    fn done(&self, command: &mut Command) {
        let output = command
            .current_dir(&self.directory)
            .env("PGHOST", "127.0.0.1")
            .env("PGDATABASE", format!("test_orm_{}", self.name))
            .env("PGUSER", "desk_app")
            .env("PGPASSWORD", PASSWORD)
            .env("LC_ALL", "C.UTF-8")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (out, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{}:\n{out}\n{errors}", self.name);
    }

    fn try_by_python(&self, environment: &str) {
        self.try_by(clients().join(environment).join("bin/python"), &["try.py"]);
    }

    fn try_by_node(&self, modules: &str) {
        // A program finds modules in the directories above its own.
        std::os::unix::fs::symlink(clients().join(modules).join("node_modules"), self.directory.join("node_modules"))
            .expect("link");
        std::fs::copy("tests/orm/common.js", self.directory.join("common.js")).expect("copy");
        self.try_by(node_program(), &["try.js"]);
    }
}

impl Drop for Recipe {
    fn drop(&mut self) {
        let _ = superuser("postgres").batch_execute(&format!("DROP DATABASE test_orm_{} WITH (FORCE)", self.name));
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("create");
    for entry in std::fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let path = entry.expect("entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("copy");
        }
    }
}

#[test]
fn sqlalchemy() {
    Recipe::new("sqlalchemy").try_by_python("python");
}

#[test]
fn django() {
    let recipe = Recipe::new("django");
    // For the tables of Django's own.
    run(&mut superuser("test_orm_django"), "GRANT CREATE ON SCHEMA public TO desk_app");
    recipe.try_by_python("python");
}

#[test]
fn pandas() {
    Recipe::new("pandas").try_by_python("python");
}

#[test]
fn node_postgres() {
    Recipe::new("node_postgres").try_by_node("node");
}

#[test]
fn knex() {
    Recipe::new("knex").try_by_node("node");
}

#[test]
fn sequelize() {
    Recipe::new("sequelize").try_by_node("node");
}

#[test]
fn typeorm() {
    Recipe::new("typeorm").try_by_node("node");
}

#[test]
#[ignore = "make test-clients"]
fn drizzle() {
    Recipe::new("drizzle").try_by_node("node-all");
}

#[test]
#[ignore = "make test-clients"]
fn sqlx() {
    let recipe = Recipe::new("sqlx");
    let built = clients().join("sqlx");
    let target = built.to_str().expect("UTF-8");
    recipe.try_by("cargo", &["run", "--quiet", "--target-dir", target]);
}

#[test]
#[ignore = "make test-clients"]
fn rails() {
    Recipe::new("rails").try_by("/usr/bin/ruby", &["try.rb"]);
}

#[test]
#[ignore = "make test-clients"]
fn eloquent() {
    Recipe::new("eloquent").try_by("/usr/bin/php", &["try.php"]);
}

#[test]
#[ignore = "make test-clients"]
fn eclipselink() {
    let recipe = Recipe::new("eclipselink");
    let jars = "/usr/share/java/*:.";
    recipe.try_by("javac", &["-cp", jars, "-proc:none", "Try.java", "Owners.java", "Customer.java"]);
    recipe.try_by("java", &["-cp", jars, "Try"]);
}

#[test]
#[ignore = "make test-clients"]
fn pgx() {
    let recipe = Recipe::new("pgx");
    // Debian's packages of Go's libraries are a GOPATH.
    recipe.done(
        Command::new("/usr/bin/go")
            .args(["run", "try.go", "pgx_app.go"])
            .env("GO111MODULE", "off")
            .env("GOPATH", "/usr/share/gocode")
            .env("GOCACHE", clients().join("go")),
    );
}

#[test]
#[ignore = "make test-clients"]
fn postgraphile() {
    Recipe::new("postgraphile").try_by_node("node-all");
}

#[test]
#[ignore = "make test-clients"]
fn dbt() {
    let recipe = Recipe::new("dbt");
    run(&mut superuser("test_orm_dbt"), &files()["bi_schema.sql"]);
    recipe.try_by_python("python-all");
}
