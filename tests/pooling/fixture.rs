//! Twenty owners whose every row carries a canary, and the roles that work for them.

use crate::common::{Database, run};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

pub const OWNERS: usize = 20;
/// Customers of each owner that stay.
pub const FIXED: usize = 8;

pub fn owner_id(owner: usize) -> String {
    format!("5eed0000-0000-4000-8000-{owner:012}")
}

pub fn owner_name(owner: usize) -> String {
    format!("Pool {owner:02}")
}

/// What every row of the owner shows.
pub fn canary(owner: usize) -> String {
    owner_id(owner)
}

/// The first canary in a text that is not the owner's.
pub fn foreign_canary(text: &str, owner: usize) -> Option<&str> {
    let own = canary(owner);
    text.match_indices("5eed0000-")
        .filter_map(|(at, _)| text.get(at..at + own.len()).or(text.get(at..)))
        .find(|&found| found != own)
}

pub fn fixed_id(owner: usize, n: usize) -> String {
    format!("f1000000-{owner:04}-4000-8000-{n:012}")
}

pub fn company_id(owner: usize) -> String {
    format!("c0000000-{owner:04}-4000-8000-000000000000")
}

pub fn phone(owner: usize, n: usize) -> String {
    format!("+48 60{} {owner:02}{n:04}", owner % 10)
}

/// One pooled role for all twenty, one that only logs in, and one that has access to nobody.
pub const APPLICATION: &str = "pool_app";
pub const TOKENS: &str = "pool_tokens";
pub const NOBODY: &str = "pool_nobody";
pub const ROLES: [&str; 3] = [APPLICATION, TOKENS, NOBODY];

/// Roles are the cluster's, and the tests of this file run at once.
static ROLES_BEING_MADE: Mutex<()> = Mutex::new(());

pub fn database(name: &str) -> Database {
    let database = Database::new(name);
    let _one_at_a_time = ROLES_BEING_MADE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let mut server = database.superuser();
    run(&mut server, "SET client_min_messages = warning");
    for role in ROLES {
        run(
            &mut server,
            &format!("DO $$ BEGIN CREATE ROLE {role} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"),
        );
    }
    // It may become the role of nobody, as a pooled role may become what it is a member of.
    run(&mut server, &format!("GRANT {NOBODY} TO {APPLICATION}; GRANT ringfence_user TO {NOBODY}"));
    for owner in 0..OWNERS {
        // A session for each, so that what the soak is to find is not found here.
        run(&mut database.superuser(), &rows_of(owner));
    }
    database
}

/// Everything of one owner, as superuser, whom no wall binds: the rows say themselves whose they are.
fn rows_of(owner: usize) -> String {
    let (id, name, own, company) = (owner_id(owner), owner_name(owner), canary(owner), company_id(owner));
    let mut sql = format!(
        "INSERT INTO ringfence.owner (id, name, country) VALUES ('{id}', '{name}', 'PL');
         SELECT ringfence.grant_access('{APPLICATION}', '{name}', '{{supervisor}}'),
                ringfence.grant_access('{TOKENS}', '{name}', '{{supervisor}}', binding => 'token');
         BEGIN;
         SELECT ringfence.grant_access('postgres', '{name}', '{{admin}}');
         SELECT ringfence.enter('{name}');
         SELECT ringfence.create_field('Canary', projects => '{{Default}}', is_searchable => true),
                ringfence.create_field('Note', projects => '{{Default}}', is_masked => true);
         INSERT INTO ringfence.company (owner_id, id, name, description) VALUES ('{id}', '{company}', '{own}', '{own}');
         "
    );
    for n in 0..FIXED {
        let (row, phone) = (fixed_id(owner, n), phone(owner, n));
        sql += &format!(
            "INSERT INTO ringfence.customer_card (owner_id, id, name, phones, emails, address, company_id, attributes)
             VALUES ('{id}', '{row}', 'Fixed {name} {own}', '{{{phone}}}', '{{fixed{n}@{own}.example}}', '{own}', '{company}',
                     '{{\"Canary\": \"{own}\", \"Note\": \"{own}\"}}');"
        );
    }
    sql + "COMMIT"
}

/// The algorithms that tokens are signed with, and for each its key and the one to verify with.
const KEYS: [(Algorithm, &str, &str); 4] = [
    (Algorithm::EdDSA, include_str!("../keys/eddsa.pem"), include_str!("../keys/eddsa.pub.pem")),
    (Algorithm::ES256, include_str!("../keys/es256.pem"), include_str!("../keys/es256.pub.pem")),
    (Algorithm::RS256, include_str!("../keys/rs256.pem"), include_str!("../keys/rs256.pub.pem")),
    (Algorithm::HS256, SECRET, SECRET),
];
const SECRET: &str = "a secret of the tests of pooling, which is long enough";

/// A token for each owner, signed with each algorithm in turn, and the keys made known.
pub fn tokens(database: &Database) -> Vec<String> {
    let mut server = database.superuser();
    let keys = KEYS.map(|(algorithm, private, public)| {
        let kid = format!("{algorithm:?}");
        run(&mut server, &format!("SELECT ringfence.add_signing_key('{kid}', '{kid}', '{public}')"));
        let key = match algorithm {
            Algorithm::EdDSA => EncodingKey::from_ed_pem(private.as_bytes()),
            Algorithm::ES256 => EncodingKey::from_ec_pem(private.as_bytes()),
            Algorithm::RS256 => EncodingKey::from_rsa_pem(private.as_bytes()),
            _ => Ok(EncodingKey::from_secret(private.as_bytes())),
        };
        (Header { kid: Some(kid), ..Header::new(algorithm) }, key.expect("a key"))
    });
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    (0..OWNERS)
        .map(|owner| {
            let (header, key) = &keys[owner % keys.len()];
            let claims = json!({ "owner": owner_id(owner), "exp": now + 1800, "sub": "agent" });
            jsonwebtoken::encode(header, &claims, key).expect("a token")
        })
        .collect()
}
