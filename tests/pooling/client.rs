//! A client behind the pooler: delivers what was planned, and looks at everything that comes back.

use super::cancel;
use super::fixture::{canary, foreign_canary};
use super::plan::{BEGUN, Delivery, Ending, Expect, Plan, Step};
use futures_util::StreamExt;
use std::future::{Future, poll_fn};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use tokio::sync::Notify;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{AsyncMessage, CancelToken, Client, Config, NoTls, SimpleQueryMessage};

/// What a statement came to, and the rows that it returned: some may come before an error.
pub struct Outcome {
    rows: Vec<String>,
    /// How many rows it returned or affected.
    result: Result<u64, Refusal>,
}

struct Refusal {
    code: String,
    text: String,
}

/// What a transaction came to.
#[derive(PartialEq, Debug)]
pub enum End {
    AsPlanned,
    /// Something that a rule breaker has left in the connection is in the way.
    Denied,
}

pub struct Session {
    sql: Client,
    cancel: CancelToken,
    socket: PathBuf,
    /// Notices and notifications since it was last looked at.
    heard: Arc<Mutex<Vec<String>>>,
    something_heard: Arc<Notify>,
    connection: tokio::task::JoinHandle<()>,
    /// Where rule breakers are about: being denied is no failure.
    pub among_breakers: bool,
    pub seen: Seen,
}

/// What came back to a client.
#[derive(Default, Clone, Copy, Debug)]
pub struct Seen {
    pub rows: u64,
    pub canaries: u64,
    pub foreign_copies: u64,
    pub notifications: u64,
}

impl Seen {
    pub fn add(&mut self, other: &Seen) {
        self.rows += other.rows;
        self.canaries += other.canaries;
        self.foreign_copies += other.foreign_copies;
        self.notifications += other.notifications;
    }
}

impl Session {
    pub async fn open(host: &Path, database: &str, role: &str) -> Session {
        let port: u16 = std::env::var("PGPORT").expect("PGPORT").parse().expect("a port");
        let (sql, mut connection) = Config::new()
            .host_path(host)
            .port(port)
            .dbname(database)
            .user(role)
            .connect(NoTls)
            .await
            .unwrap_or_else(|error| panic!("{role} cannot connect through the pooler: {error:?}"));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let something_heard = Arc::new(Notify::new());
        let (hearing, heard_something) = (heard.clone(), something_heard.clone());
        let connection = tokio::spawn(async move {
            while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
                let text = match message {
                    AsyncMessage::Notice(notice) => format!("{notice:?}"),
                    AsyncMessage::Notification(notification) => format!("notification {}", notification.payload()),
                    _ => continue,
                };
                hearing.lock().expect("heard").push(text);
                heard_something.notify_one();
            }
        });
        Session {
            cancel: sql.cancel_token(),
            socket: host.join(format!(".s.PGSQL.{port}")),
            sql,
            heard,
            something_heard,
            connection,
            among_breakers: false,
            seen: Seen::default(),
        }
    }

    /// Runs a transaction. Panics where a row, an error or a notice shows another owner's canary, or where a statement
    /// does not come to what the plan says.
    pub async fn run(&mut self, plan: &Plan) -> End {
        let mut statements: Vec<Step> = plan.steps.clone();
        let end = if plan.ending == Ending::Commit { "COMMIT" } else { "ROLLBACK" };
        match plan.delivery {
            Delivery::Implicit => {
                // There is no other way to undo such a transaction than an error.
                if plan.ending == Ending::RollBack {
                    statements.push(Step::new("SELECT 1 / 0", &[], Expect::Refused(&["22012"])));
                }
                self.message(&statements, plan).await
            }
            Delivery::OneMessage => {
                statements.insert(0, Step::anything("BEGIN"));
                statements.push(Step::anything(end));
                let ended = self.message(&statements, plan).await;
                if failed(&plan.steps) || ended == End::Denied {
                    self.message(&[Step::anything("ROLLBACK")], plan).await;
                }
                ended
            }
            Delivery::Loose => {
                for step in &statements {
                    self.message(std::slice::from_ref(step), plan).await;
                }
                End::AsPlanned
            }
            Delivery::Conversation | Delivery::Parameters => {
                let mut ended = End::AsPlanned;
                self.message(&[Step::anything("BEGIN")], plan).await;
                for step in &statements {
                    let outcome = match plan.delivery {
                        _ if step.expect == Expect::Cancelled => self.cancelled(step).await,
                        Delivery::Parameters => self.parameters(step).await,
                        _ => self.simple(&step.literal()).await.pop().expect("one statement, one outcome"),
                    };
                    ended = self.judge(step, &outcome, plan);
                    if ended == End::Denied {
                        break;
                    }
                }
                // COMMIT of a failed transaction is a rollback too.
                self.message(&[Step::anything(end)], plan).await;
                ended
            }
        }
    }

    /// Several statements in one message.
    async fn message(&mut self, steps: &[Step], plan: &Plan) -> End {
        let text: Vec<String> = steps.iter().map(Step::literal).collect();
        let outcomes = self.simple(&text.join("; ")).await;
        assert!(outcomes.len() <= steps.len(), "{text:?} came to more than was asked");
        let mut ended = End::AsPlanned;
        for (step, outcome) in steps.iter().zip(&outcomes) {
            ended = self.judge(step, outcome, plan);
        }
        let stopped = outcomes.last().is_some_and(|outcome| outcome.result.is_err());
        assert!(stopped || outcomes.len() == steps.len(), "{text:?} stopped without an error");
        ended
    }

    /// The simple protocol: the outcome of each statement, up to the first that fails.
    pub async fn simple(&self, text: &str) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        let mut rows = Vec::new();
        let stream = match self.sql.simple_query_raw(text).await {
            Ok(stream) => stream,
            Err(error) => return vec![Outcome { rows, result: Err(refusal(&error, text)) }],
        };
        let mut stream = pin!(stream);
        while let Some(message) = stream.next().await {
            match message {
                Ok(SimpleQueryMessage::Row(row)) => {
                    let columns: Vec<&str> = (0..row.len()).map(|n| row.get(n).unwrap_or("")).collect();
                    rows.push(columns.join("|"));
                }
                Ok(SimpleQueryMessage::CommandComplete(count)) => {
                    outcomes.push(Outcome { rows: std::mem::take(&mut rows), result: Ok(count) });
                }
                Ok(_) => (),
                Err(error) => {
                    outcomes.push(Outcome { rows: std::mem::take(&mut rows), result: Err(refusal(&error, text)) })
                }
            }
        }
        outcomes
    }

    /// The extended protocol: Parse, Bind and Execute of an unnamed statement.
    async fn parameters(&self, step: &Step) -> Outcome {
        let parameters: Vec<(&(dyn ToSql + Sync), Type)> =
            step.parameters.iter().map(|text| (text as &(dyn ToSql + Sync), Type::TEXT)).collect();
        let mut rows = Vec::new();
        let stream = match self.sql.query_typed_raw(&step.sql, parameters).await {
            Ok(stream) => stream,
            Err(error) => return Outcome { rows, result: Err(refusal(&error, &step.sql)) },
        };
        let mut stream = pin!(stream);
        while let Some(row) = stream.next().await {
            match row {
                Ok(row) => {
                    // Numbers and booleans show nothing of anybody.
                    let columns: Vec<String> =
                        (0..row.len()).map(|n| row.try_get::<_, String>(n).unwrap_or_default()).collect();
                    rows.push(columns.join("|"));
                }
                Err(error) => return Outcome { rows, result: Err(refusal(&error, &step.sql)) },
            }
        }
        let count = stream.rows_affected().unwrap_or(rows.len() as u64);
        Outcome { rows, result: Ok(count) }
    }

    /// Runs a statement that does not end until it is cancelled.
    async fn cancelled(&mut self, step: &Step) -> Outcome {
        let text = step.literal();
        let mut running = pin!(self.simple(&text));
        let begun = async {
            while !self.heard.lock().expect("heard").iter().any(|text| text.contains(BEGUN)) {
                self.something_heard.notified().await;
            }
        };
        let mut outcomes = tokio::select! {
            biased;
            outcomes = &mut running => outcomes,
            // The request is waited for to its end: it may not be under way when the next statement runs.
            () = begun => tokio::join!(&mut running, cancel::request(&self.cancel, &self.socket)).0,
        };
        outcomes.pop().expect("one statement, one outcome")
    }

    fn judge(&mut self, step: &Step, outcome: &Outcome, plan: &Plan) -> End {
        let about = || format!("{:?} {:?} {:?} {step:?}", plan.kind, plan.way, plan.delivery);
        let heard = std::mem::take(&mut *self.heard.lock().expect("heard"));
        self.seen.notifications += heard.iter().filter(|text| text.starts_with("notification")).count() as u64;
        for text in heard {
            let foreign = foreign_canary(&text, plan.owner);
            assert!(foreign.is_none(), "{}: a notice shows {foreign:?}", about());
        }
        for row in &outcome.rows {
            let foreign = foreign_canary(row, plan.owner);
            if step.expect == Expect::Copy {
                self.seen.foreign_copies += u64::from(foreign.is_some());
            } else {
                assert!(foreign.is_none(), "{}: CANARY of another owner in {row}", about());
            }
        }
        let own = outcome.rows.iter().filter(|row| row.contains(&canary(plan.owner))).count() as u64;
        self.seen.canaries += own;
        self.seen.rows += outcome.rows.len() as u64;
        match (&outcome.result, &step.expect) {
            (Ok(_), Expect::Anything | Expect::Copy) => End::AsPlanned,
            (Ok(count), Expect::Count(expected)) if expected.contains(count) => End::AsPlanned,
            (Ok(count), Expect::Canaries(expected)) if expected.contains(count) && own == *count => End::AsPlanned,
            (Ok(count), _) => panic!("{}: was not refused, or came to {count} rows: {:?}", about(), outcome.rows),
            (Err(Refusal { code, text }), expect) => {
                // What the client itself has named may come back.
                let foreign = foreign_canary(text, plan.owner).filter(|&found| !step.literal().contains(found));
                assert!(foreign.is_none(), "{}: an error shows {foreign:?}: {text}", about());
                match expect {
                    Expect::Anything | Expect::Copy => End::AsPlanned,
                    Expect::Refused(codes) if codes.contains(&code.as_str()) => End::AsPlanned,
                    Expect::Cancelled if code == SqlState::QUERY_CANCELED.code() => End::AsPlanned,
                    _ if self.among_breakers && DENIALS.contains(&code.as_str()) => End::Denied,
                    _ => panic!("{}: {code} {text}", about()),
                }
            }
        }
    }

    /// Is gone, in the middle of whatever was begun; with a last statement that it does not wait for.
    pub async fn abandon(self, last: Option<&str>) {
        if let Some(text) = last {
            let last = self.sql.simple_query_raw(text);
            let mut last = pin!(last);
            // Asked once, it is on its way to the connection, which gets a turn to send it.
            poll_fn(|context| {
                let _ = last.as_mut().poll(context);
                Poll::Ready(())
            })
            .await;
            tokio::task::yield_now().await;
        }
        self.connection.abort();
    }
}

/// How a connection that somebody has spoilt denies what it should give: a role without access or row_security = off
/// left behind, a project that this owner does not have.
const DENIALS: [&str; 3] = ["42501", "P0002", "25006"];

/// Whether the plan leaves a transaction that was begun in an error.
fn failed(steps: &[Step]) -> bool {
    matches!(steps.last(), Some(Step { expect: Expect::Refused(_), .. }))
}

fn refusal(error: &tokio_postgres::Error, text: &str) -> Refusal {
    let error = error.as_db_error().unwrap_or_else(|| panic!("{text}: the connection broke: {error:?}"));
    Refusal { code: error.code().code().to_owned(), text: format!("{error:?}") }
}

/// What the server reports of these settings (ParameterStatus), once the statements have run.
pub async fn reported(
    host: &Path,
    database: &str,
    role: &str,
    statements: &str,
    settings: &[&str],
) -> Vec<(String, String)> {
    let port: u16 = std::env::var("PGPORT").expect("PGPORT").parse().expect("a port");
    let (sql, mut connection) = Config::new()
        .host_path(host)
        .port(port)
        .dbname(database)
        .user(role)
        .connect(NoTls)
        .await
        .expect("a connection");
    {
        let running = sql.batch_execute(statements);
        let mut running = pin!(running);
        // The connection has no task of its own, so that it can be asked afterwards.
        poll_fn(|context| {
            let _ = connection.poll_message(context);
            running.as_mut().poll(context)
        })
        .await
        .expect("the statements");
    }
    let reported = |name: &&str| Some((name.to_string(), connection.parameter(name)?.to_owned()));
    settings.iter().filter_map(reported).collect()
}
