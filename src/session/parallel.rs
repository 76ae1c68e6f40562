//! Parallel workers see the context of their leader.
//!
//! A worker is a backend of its own: PostgreSQL gives it the leader's role and settings, and nothing of what this library
//! remembers. So before a query starts workers, the leader writes what it has entered or asks into a setting that it alone
//! writes, and a worker judges that, from the tables, as its leader did. Rights taken away meanwhile are gone there too.

use super::entered::{self, Entered};
use super::latch;
use super::question::{self, Question, Way};
use super::settings::{self, Scope};
use crate::error::{self, Result};
use crate::name::{Reference, parse_id};
use crate::rights::Rights;
use crate::role;
use pgrx::pg_sys;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::ffi::CString;

/// What a worker has to know of its leader: what it asks, or that it was refused.
#[derive(Serialize, Deserialize)]
enum Message {
    Asks(Handed),
    Refused { code: i32, message: String, detail: Option<String>, hint: Option<String> },
}

#[derive(Serialize, Deserialize)]
struct Handed {
    role: u32,
    owner: Option<String>,
    project: Option<String>,
    way: HandedWay,
    /// The owner that the transaction has used, and whether it was selected for the transaction alone.
    latched: Option<(String, bool)>,
    agent: Option<String>,
    source: Option<String>,
    key: Option<String>,
    expires: pg_sys::TimestampTz,
}

#[derive(Serialize, Deserialize)]
enum HandedWay {
    Local,
    Session,
    Enter,
    Token(u32),
}

thread_local! {
    /// In a worker: what its leader asks, once it was read.
    static ASKED: RefCell<Option<Question>> = const { RefCell::new(None) };
}

pub fn is_worker() -> bool {
    // SAFETY: reads a variable of the backend.
    unsafe { pg_sys::ParallelWorkerNumber >= 0 }
}

/// In the leader: what its workers have to know, by how the leader itself was judged.
pub fn to_hand_over(judged: Result<()>) -> Option<CString> {
    let message = match judged.and_then(|()| handed()) {
        Ok(handed) => Message::Asks(handed),
        Err(refusal) => Message::Refused {
            code: refusal.code() as i32,
            message: refusal.message().to_owned(),
            detail: refusal.detail().map(str::to_owned),
            hint: refusal.hint().map(str::to_owned),
        },
    };
    // JSON escapes a NUL.
    serde_json::to_string(&message).ok().and_then(|text| CString::new(text).ok())
}

fn handed() -> Result<Handed> {
    let (question, agent, source, key, expires) = match entered::current() {
        Some(entered) => {
            let (agent, source, key) = (entered.agent.clone(), entered.source.clone(), entered.key);
            let (role, expires) = (entered.role, entered.expires);
            (entered.question(role)?, agent, source, key, expires)
        }
        None => (question::by_settings(role::current())?, None, None, None, entered::NEVER),
    };
    Ok(Handed {
        role: question.role.to_u32(),
        owner: question.owner.map(|owner| owner.text().to_owned()),
        project: question.project.map(|project| project.text().to_owned()),
        way: match question.way {
            Way::Setting(Scope::Transaction) => HandedWay::Local,
            Way::Setting(Scope::Session) => HandedWay::Session,
            Way::Enter => HandedWay::Enter,
            Way::Token(limit) => HandedWay::Token(limit.bits()),
        },
        latched: latch::latched().map(|(owner, transaction_only)| (owner.to_string(), transaction_only)),
        agent,
        source,
        key: key.map(|key| key.to_string()),
        expires,
    })
}

/// In a worker, at the first use of the context: takes over what the leader has handed. Elsewhere, nothing.
/// Error 55000 if there is nothing, since the leader had not loaded the library when the query began.
pub fn take_over() -> Result<()> {
    if !is_worker() || ASKED.with(|asked| asked.borrow().is_some()) {
        return Ok(());
    }
    let message: Option<Message> = settings::parallel_context()?.and_then(|text| serde_json::from_str(&text).ok());
    let handed = match message {
        Some(Message::Asks(handed)) => handed,
        Some(Message::Refused { code, message, detail, hint }) => {
            return Err(error::refused_by_leader(code, &message, detail, hint));
        }
        None => return Err(error::nothing_handed_over()),
    };
    let way = match handed.way {
        HandedWay::Local => Way::Setting(Scope::Transaction),
        HandedWay::Session => Way::Setting(Scope::Session),
        HandedWay::Enter => Way::Enter,
        HandedWay::Token(limit) => Way::Token(Rights::from_bits(limit)),
    };
    let role = pg_sys::Oid::from(handed.role);
    if let Some((owner, transaction_only)) = handed.latched {
        let owner = parse_id(&owner).ok_or_else(error::nothing_handed_over)?;
        latch::latch(owner, transaction_only)?;
    }
    if !matches!(way, Way::Setting(_)) {
        let owner = handed.owner.as_deref().and_then(parse_id).ok_or_else(error::nothing_handed_over)?;
        entered::begin(Entered {
            role,
            owner,
            project: handed.project.as_deref().and_then(parse_id),
            agent: handed.agent,
            source: handed.source,
            way,
            key: handed.key.as_deref().and_then(parse_id),
            expires: handed.expires,
        });
    }
    let reference = |text: Option<String>| text.as_deref().map(Reference::new);
    let question = Question { role, owner: reference(handed.owner), project: reference(handed.project), way };
    ASKED.with(|asked| asked.replace(Some(question)));
    Ok(())
}

/// In a worker: what its leader asks by its settings. Error 42501 if it is not for that role.
pub fn asked(role: pg_sys::Oid) -> Result<Question> {
    let asked = ASKED.with(|asked| asked.borrow().clone()).ok_or_else(error::nothing_handed_over)?;
    if asked.role == role { Ok(asked) } else { Err(error::role_changed()) }
}
