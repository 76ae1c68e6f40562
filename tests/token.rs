//! Tokens as identity providers make them, and as attackers do; and where a token must never be found (ATTACKS 135 to 138,
//! 145 to 150).

mod common;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::random::splitmix64;
use common::{Database, refused, run, server_log, value};
use jsonwebtoken::{Algorithm, EncodingKey};
use postgres::Client;
use std::time::{SystemTime, UNIX_EPOCH};

const SECRET: &str = "a secret that the tests alone know";

fn in_seconds(seconds: i64) -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs() as i64 + seconds
}

/// A token of exactly these bytes, signed.
fn signed(header: &[u8], claims: &[u8], key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).expect("a signature");
    format!("{message}.{signature}")
}

fn good_claims() -> String {
    format!(r#"{{"owner":"Company A","exp":{},"sub":"eva"}}"#, in_seconds(300))
}

/// The keys in tests/keys, public ones as the database gets them.
fn key_pairs() -> [(Algorithm, &'static str, &'static str, EncodingKey); 3] {
    let read = |key: jsonwebtoken::errors::Result<EncodingKey>| key.expect("a key");
    [
        (
            Algorithm::EdDSA,
            "EdDSA",
            include_str!("keys/eddsa.pub.pem"),
            read(EncodingKey::from_ed_pem(include_bytes!("keys/eddsa.pem"))),
        ),
        (
            Algorithm::ES256,
            "ES256",
            include_str!("keys/es256.pub.pem"),
            read(EncodingKey::from_ec_pem(include_bytes!("keys/es256.pem"))),
        ),
        (
            Algorithm::RS256,
            "RS256",
            include_str!("keys/rs256.pub.pem"),
            read(EncodingKey::from_rsa_pem(include_bytes!("keys/rs256.pem"))),
        ),
    ]
}

fn add_keys(database: &Database) {
    let mut dba = database.connect("dba");
    for (_, name, public, _) in key_pairs() {
        dba.execute("SELECT ringfence.add_signing_key($1, $1, $2)", &[&name, &public]).expect("the key is added");
    }
}

fn login(client: &mut Client, token: &str) -> Result<String, String> {
    run(client, "BEGIN");
    let bound = client.query_one("SELECT ringfence.login($1)::text", &[&token]);
    let outcome = match bound {
        Ok(row) => Ok(row.get(0)),
        Err(error) => Err(error.code().map_or("no SQLSTATE", |code| code.code()).to_owned()),
    };
    run(client, "ROLLBACK");
    outcome
}

#[test]
fn every_algorithm_is_accepted_with_its_own_key_alone() {
    let database = Database::new("token_algorithms");
    add_keys(&database);
    let mut client = database.connect("app_token");
    for (algorithm, name, _, key) in key_pairs() {
        let header = |kid: &str, alg: &str| format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#);
        let token = signed(header(name, name).as_bytes(), good_claims().as_bytes(), &key, algorithm);
        assert!(login(&mut client, &token).is_ok(), "{name}");
        // The same under the name of another key, or of another algorithm.
        for (other, other_name, _, _) in key_pairs() {
            if other != algorithm {
                let token = signed(header(other_name, name).as_bytes(), good_claims().as_bytes(), &key, algorithm);
                assert_eq!(login(&mut client, &token), Err("28000".to_owned()), "{name} by kid {other_name}");
                let token =
                    signed(header(other_name, other_name).as_bytes(), good_claims().as_bytes(), &key, algorithm);
                assert_eq!(login(&mut client, &token), Err("28000".to_owned()), "{name} as {other_name}");
            }
        }
    }
    // Key confusion: the public key, which everybody may have, as the secret of an HMAC.
    for (_, name, public, _) in key_pairs() {
        for secret in [public, public.trim_end(), ""] {
            let key = EncodingKey::from_secret(secret.as_bytes());
            for kid in [name, "test"] {
                let header = format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#);
                let token = signed(header.as_bytes(), good_claims().as_bytes(), &key, Algorithm::HS256);
                assert_eq!(login(&mut client, &token), Err("28000".to_owned()), "{name} as a secret, kid {kid}");
            }
        }
    }
}

/// Random choices that are the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        splitmix64(&mut self.0)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

/// A good token with something done to it.
fn mutated(good: &str, random: &mut Random) -> Vec<u8> {
    let mut token = good.as_bytes().to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(token.len().max(1));
        match random.below(8) {
            0 => token.truncate(at),
            1 => token.insert(at.min(token.len()), random.next() as u8 & 0x7f),
            2 if !token.is_empty() => {
                token.remove(at);
            }
            3 if !token.is_empty() => token[at] = random.next() as u8,
            4 if !token.is_empty() => token[at] ^= 1 << random.below(8),
            5 => {
                let parts: Vec<Vec<u8>> = token.split(|byte| *byte == b'.').map(<[u8]>::to_vec).collect();
                let picked: Vec<Vec<u8>> =
                    (0..1 + random.below(5)).map(|_| parts[random.below(parts.len())].clone()).collect();
                token = picked.join(&b'.');
            }
            6 => {
                let tail = token[at.min(token.len())..].to_vec();
                token.extend_from_slice(&tail);
            }
            _ => {
                // Inside of what is encoded: the claims or the header, with the old signature.
                let mut parts: Vec<Vec<u8>> = token.split(|byte| *byte == b'.').map(<[u8]>::to_vec).collect();
                let n = random.below(parts.len().min(2));
                if let Ok(mut inside) = URL_SAFE_NO_PAD.decode(&parts[n])
                    && !inside.is_empty()
                {
                    let at = random.below(inside.len());
                    inside[at] = random.next() as u8;
                    parts[n] = URL_SAFE_NO_PAD.encode(inside).into_bytes();
                }
                token = parts.join(&b'.');
            }
        }
    }
    token
}

/// Signed as it should be, and wrong in what it says: header and claims.
fn wrong_in_content(random: &mut Random) -> (Vec<u8>, Vec<u8>) {
    let header = br#"{"alg":"HS256","kid":"test"}"#.to_vec();
    let exp = in_seconds(300);
    let number = random.next();
    let claims = match random.below(16) {
        0 => format!(r#"{{"owner":"Company A","exp":"{exp}"}}"#),
        1 => format!(r#"{{"owner":"Company A","exp":{exp}.{}}}"#, number % 1000),
        2 => format!(r#"{{"owner":"Company A","exp":{exp}e{}}}"#, number % 400),
        3 => format!(
            r#"{{"owner":"Company A","exp":{}}}"#,
            ["NaN", "Infinity", "-Infinity", "null", "true", "[]", "{}"][random.below(7)]
        ),
        4 => format!(r#"{{"owner":"Company A","exp":{}{number}}}"#, 1 + number % 9),
        5 => format!(r#"{{"owner":"Company A","owner":"Company B","exp":{exp}}}"#),
        6 => format!(r#"{{"owner":"Company A","exp":{exp},"exp":{exp}}}"#),
        7 => format!(
            r#"{{"owner":{}"Company A"{},"exp":{exp}}}"#,
            "[".repeat(1 + random.below(300)),
            "]".repeat(random.below(300))
        ),
        8 => format!(r#"{{"exp":{exp}}}"#),
        9 => r#"{"owner":"Company A"}"#.to_owned(),
        10 => format!(r#"{{"owner":"Company A","exp":-{number}}}"#),
        11 => format!(r#"{{"owner":"Company A","exp":{exp},"nbf":{}}}"#, exp + (number % 1_000_000) as i64),
        12 => format!(r#"{{"owner":"Company A\u0000","exp":{exp}}}"#),
        13 => format!(r#"{{"owner":"Company A","exp":{exp},"rights":["{}"]}}"#, number),
        14 => {
            // Not UTF-8.
            let mut claims = format!(r#"{{"owner":"Company A","exp":{exp},"sub":"_"}}"#).into_bytes();
            let at = claims.len() - 3;
            claims[at] = 0x80 | number as u8;
            return (header, claims);
        }
        _ => {
            return (
                format!(r#"{{"alg":"HS256","kid":"test","{}":["x"]}}"#, ["crit", "cty", "zip", "enc"][random.below(4)])
                    .into_bytes(),
                good_claims().into_bytes(),
            );
        }
    };
    (header, claims.into_bytes())
}

#[test]
fn a_hundred_thousand_bad_tokens_are_refused() {
    const TOKENS: usize = 100_000;
    const BATCH: usize = 2_000;
    let database = Database::new("token_fuzz");
    add_keys(&database);
    let mut superuser = database.superuser();
    run(
        &mut superuser,
        "CREATE FUNCTION outcomes(tokens bytea[]) RETURNS TABLE (n integer, state text) LANGUAGE plpgsql AS $$
         DECLARE token bytea;
         BEGIN
             n := 0;
             FOREACH token IN ARRAY tokens LOOP
                 BEGIN
                     PERFORM ringfence.login(convert_from(token, 'UTF8'));
                     state := 'accepted';
                     RAISE EXCEPTION USING ERRCODE = 'RF000';
                 EXCEPTION WHEN OTHERS THEN
                     IF sqlstate <> 'RF000' THEN state := sqlstate; END IF;
                 END;
                 RETURN NEXT;
                 n := n + 1;
             END LOOP;
         END $$",
    );
    // The log of refusals would be larger than what it tells.
    run(&mut superuser, "SET log_min_messages = fatal; SET SESSION AUTHORIZATION app_token");
    let mut client = superuser;
    let (mut random, hmac) = (Random(1), EncodingKey::from_secret(SECRET.as_bytes()));
    let mut goods: Vec<String> = key_pairs()
        .iter()
        .map(|(algorithm, name, _, key)| {
            signed(
                format!(r#"{{"alg":"{name}","kid":"{name}"}}"#).as_bytes(),
                good_claims().as_bytes(),
                key,
                *algorithm,
            )
        })
        .collect();
    goods.push(signed(br#"{"alg":"HS256","kid":"test"}"#, good_claims().as_bytes(), &hmac, Algorithm::HS256));
    for good in &goods {
        assert!(login(&mut client, good).is_ok());
    }
    let (mut refused_tokens, mut not_text) = (0, 0);
    for _ in 0..TOKENS / BATCH {
        let mut tokens: Vec<Vec<u8>> = Vec::with_capacity(BATCH);
        while tokens.len() < BATCH {
            let token = match random.below(10) {
                0 => {
                    let (header, claims) = wrong_in_content(&mut random);
                    signed(&header, &claims, &hmac, Algorithm::HS256).into_bytes()
                }
                1 => (0..random.below(200)).map(|_| random.next() as u8).collect(),
                2 if random.below(20) == 0 => vec![b'a'; 8_000 + random.below(100_000)],
                _ => mutated(&goods[random.below(goods.len())], &mut random),
            };
            if !goods.iter().any(|good| good.as_bytes() == token) {
                tokens.push(token);
            }
        }
        for row in client.query("SELECT n, state FROM outcomes($1)", &[&tokens]).expect("the backend survives") {
            let (n, state): (i32, &str) = (row.get(0), row.get(1));
            match state {
                "28000" => refused_tokens += 1,
                // Not UTF-8, or with a NUL: no text, so nothing that login() could be given.
                "22021" => not_text += 1,
                _ => panic!("{state}: {:?}", String::from_utf8_lossy(&tokens[n as usize])),
            }
        }
    }
    assert_eq!(refused_tokens + not_text, TOKENS);
    assert!(not_text < TOKENS / 4 && refused_tokens > TOKENS / 2, "{refused_tokens} refused, {not_text} no text");
    for good in &goods {
        assert!(login(&mut client, good).is_ok(), "good tokens are still good");
    }
}

/// Entry 150 for tokens: what ends elsewhere ends here at the next statement, in an open transaction too.
#[test]
fn a_dropped_key_ends_what_it_has_signed() {
    let database = Database::new("token_dropped");
    add_keys(&database);
    let (algorithm, name, public, key) = &key_pairs()[0];
    let token = signed(br#"{"alg":"EdDSA","kid":"EdDSA"}"#, good_claims().as_bytes(), key, *algorithm);
    let mut client = database.connect("app_token");
    let query = "SELECT count(*) FROM ringfence.customer";
    run(&mut client, "PREPARE q AS SELECT count(*) FROM ringfence.customer");
    for isolation in ["READ COMMITTED", "SERIALIZABLE"] {
        run(&mut client, &format!("BEGIN ISOLATION LEVEL {isolation}"));
        client.execute("SELECT ringfence.login($1)", &[&token]).expect("bound");
        assert_eq!(value::<i64>(&mut client, query), 3);
        run(
            &mut client,
            "DECLARE c CURSOR FOR SELECT name FROM ringfence.customer ORDER BY name; FETCH 1 FROM c; SAVEPOINT s",
        );
        // Another key by the same kid is another key.
        let mut dba = database.connect("dba");
        dba.execute("SELECT ringfence.drop_signing_key($1)", &[name]).expect("dropped");
        dba.execute("SELECT ringfence.add_signing_key($1, $1, $2)", &[name, public]).expect("added");
        for statement in
            [query, "EXECUTE q", "FETCH 1 FROM c", "INSERT INTO ringfence.customer_card (name) VALUES ('x')"]
        {
            assert_eq!(refused(&mut client, statement), "28000", "{isolation}: {statement}");
            run(&mut client, "ROLLBACK TO s");
        }
        run(&mut client, "ROLLBACK");
    }
    // So for a disabled owner, and for access that is revoked.
    for (take, give, state) in [
        (
            "UPDATE ringfence.owner SET enabled = false WHERE name = 'Company A'",
            "UPDATE ringfence.owner SET enabled = true WHERE name = 'Company A'",
            "55000",
        ),
        (
            "SELECT ringfence.revoke_access('app_token', 'Company A')",
            "SELECT ringfence.grant_access('app_token', 'Company A', '{agent}', binding => 'token')",
            "42501",
        ),
    ] {
        run(&mut client, "BEGIN ISOLATION LEVEL REPEATABLE READ");
        client.execute("SELECT ringfence.login($1)", &[&token]).expect("bound");
        assert_eq!(value::<i64>(&mut client, query), 3);
        run(&mut database.connect("dba"), take);
        assert_eq!(refused(&mut client, query), state, "{take}");
        run(&mut client, "ROLLBACK");
        run(&mut database.connect("dba"), give);
    }
}

/// Whatever the server writes about a statement, and whatever it shows of it to others.
#[test]
fn no_token_and_no_key_is_ever_written_or_shown() {
    let database = Database::new("token_secrecy");
    let mut superuser = database.superuser();
    run(
        &mut superuser,
        "CREATE EXTENSION pg_stat_statements;
         ALTER ROLE app_token SET log_statement = 'all'; ALTER ROLE app_token SET log_min_duration_statement = 0; ALTER ROLE app_token SET log_parameter_max_length_on_error = -1;
         ALTER ROLE app_token SET pg_stat_statements.track = 'all'; ALTER ROLE app_token SET ringfence.log_owner = on;
         ALTER ROLE dba SET log_statement = 'all'; ALTER ROLE dba SET log_min_duration_statement = 0; ALTER ROLE dba SET log_parameter_max_length_on_error = -1;
         GRANT pg_read_all_stats TO app_none",
    );
    let (mut client, mut dba) = (database.connect("app_token"), database.connect("dba"));
    run(
        &mut superuser,
        "ALTER ROLE app_token RESET ALL; ALTER ROLE dba RESET ALL; REVOKE pg_read_all_stats FROM app_none",
    );

    let key = "CANARYKEY-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    run(&mut dba, &format!("SELECT ringfence.add_signing_key('canary', 'HS256', '{key}')"));
    run(&mut dba, "SELECT ringfence.drop_signing_key('canary')");
    dba.execute("SELECT ringfence.add_signing_key($1, $2, $3)", &[&"canary", &"HS256", &key]).expect("added");
    assert_eq!(refused(&mut dba, &format!("SELECT ringfence.add_signing_key('canary', 'HS256', '{key}')")), "23505");
    assert_eq!(refused(&mut dba, &format!("SELECT ringfence.add_signing_key('other', '{key}', 'HS256')")), "22023");
    assert_eq!(refused(&mut dba, &format!("SELECT ringfence.add_signing_key('short', 'EdDSA', '{key}')")), "22023");
    run(&mut dba, &format!("DO $$BEGIN PERFORM ringfence.add_signing_key('do', 'HS256', '{key}'); END$$"));

    // What is handed on with stars in it is scanned again by others.
    for statement in [
        "CREATE FUNCTION pg_temp.login(text) RETURNS text LANGUAGE sql AS 'SELECT $1'; PREPARE p1 AS SELECT pg_temp.login('x')",
        "PREPARE p2 AS SELECT ringfence.login('x');",
        "PREPARE p3 AS SELECT ringfence.login('x') WHERE 'a' = 'b' AND 1 = 2",
        "PREPARE p4(text) AS SELECT ringfence.login($1)",
        "PREPARE p5 AS SELECT /* login('x') */ ringfence.login('x''y'), E'it\\'s', $a$x$a$",
    ] {
        run(&mut client, statement);
    }
    run(&mut client, "DEALLOCATE ALL");
    run(&mut dba, "PREPARE k(text) AS SELECT ringfence.add_signing_key('k', 'HS256', $1); DEALLOCATE k");
    let _ = dba.batch_execute(&format!(
        "WITH v AS (SELECT '{key}' AS key) SELECT ringfence.add_signing_key('v', 'HS256', key) FROM v"
    ));
    let _ = dba.batch_execute(&format!("SELECT ringfence.add_signing_key/**/('w', 'HS256', '{key}')"));
    // The same name, otherwise spelt; and by a statement that does not say it.
    for spelling in [
        r#"U&"add\005fsigning\005fkey""#,
        r#"u&"\+000061dd_signing_key""#,
        r#"U&"add!005fsigning_key" UESCAPE '!'"#,
        r#"/**/"add_signing_key""#,
        "ADD_SIGNING_KEY",
    ] {
        let call = format!("ringfence.{spelling}('spelt', 'HS256', '{key}')");
        run(&mut dba, &format!("SELECT {call}; SELECT ringfence.drop_signing_key('spelt')"));
        run(&mut dba, &format!("DO $$BEGIN PERFORM {call}; END$$; SELECT ringfence.drop_signing_key('spelt')"));
        run(&mut dba, &format!("PREPARE \"Spelt\" AS SELECT {call}; EXECUTE \"Spelt\"; DEALLOCATE \"Spelt\""));
        run(&mut dba, "SELECT ringfence.drop_signing_key('spelt')");
    }
    run(&mut dba, "PREPARE Unsaid(text) AS SELECT ringfence.add_signing_key('unsaid', 'HS256', $1)");
    run(&mut dba, &format!("EXECUTE unsaid('{key}')"));
    let _ = dba.batch_execute(&format!("EXECUTE unsaid('{key}', '{key}')"));
    let _ = dba.batch_execute(&format!("EXPLAIN /**/ EXECUTE unsaid('{key}' || nosuch)"));
    run(&mut dba, "DEALLOCATE unsaid; SELECT ringfence.drop_signing_key('unsaid')");
    let _ = client.batch_execute(
        "SET debug_print_parse = on; SELECT ringfence.login('CANARYSHORT'); SET debug_print_parse = off",
    );

    let hmac = EncodingKey::from_secret(key.as_bytes());
    let claims = format!(r#"{{"owner":"Company A","exp":{},"sub":"CANARYSUB"}}"#, in_seconds(300));
    let good = signed(br#"{"alg":"HS256","kid":"canary"}"#, claims.as_bytes(), &hmac, Algorithm::HS256);
    let bad = format!("{}A", &good[..good.len() - 2]);
    let short = "CANARYSHORT";
    for token in [good.as_str(), bad.as_str(), short] {
        for statement in [
            format!("SELECT ringfence.login('{token}')"),
            format!("SELECT 1/0 FROM ringfence.login('{token}')"),
            format!("DO $$BEGIN PERFORM ringfence.login('{token}'); PERFORM 1/0; END$$"),
            format!("PREPARE p AS SELECT ringfence.login('{token}')"),
            format!("EXPLAIN (ANALYZE, VERBOSE) SELECT ringfence.login('{token}')"),
            format!("COPY (SELECT ringfence.login('{token}')) TO STDOUT"),
            format!("BEGIN; DECLARE c CURSOR FOR SELECT ringfence.login('{token}'); FETCH 1 FROM c; SELECT 1/0"),
            format!("CREATE TEMP TABLE t AS SELECT ringfence.login('{token}')"),
            format!("PREPARE q AS SELECT ringfence.login($1); EXECUTE q('{token}')"),
            format!("SET search_path = ringfence; SELECT login('{token}')"),
            format!("SELECT ringfence.login('{token}') FROM nosuch"),
            format!("DO $x$DECLARE t text := '{token}'; BEGIN PERFORM ringfence.login(t); END$x$"),
        ] {
            let _ = client.batch_execute(&statement);
            let shown: Vec<String> = client
                .query("SELECT statement FROM pg_prepared_statements UNION ALL SELECT statement FROM pg_cursors", &[])
                .map(|rows| rows.iter().map(|row| row.get(0)).collect())
                .unwrap_or_default();
            assert!(!shown.iter().any(|shown| shown.contains("CANARY") || shown.contains(&token[..11])), "{shown:?}");
            let _ = client.batch_execute("ROLLBACK; DEALLOCATE ALL; RESET search_path");
        }
        run(&mut client, "BEGIN");
        let _ = client.query("SELECT ringfence.login($1), 1/0", &[&token]);
        run(&mut client, "ROLLBACK; BEGIN");
        let _ = client.query("SELECT ringfence.login($1)", &[&token]);
        // While the statement is still the last one of its session.
        let activity: String = value(
            &mut superuser,
            "SELECT coalesce(string_agg(query, ';'), '') FROM pg_stat_activity WHERE usename = 'app_token'",
        );
        assert!(!activity.contains("CANARY") && !activity.contains(&token[..11]), "{activity}");
        let _ = client.batch_execute(&format!("ROLLBACK; SELECT ringfence.login('{token}')"));
        let activity: String = value(
            &mut superuser,
            "SELECT coalesce(string_agg(query, ';'), '') FROM pg_stat_activity WHERE usename = 'app_token'",
        );
        assert!(activity.contains("ringfence.login(***"), "{activity}");
    }

    let statements: Vec<String> = superuser
        .query("SELECT query FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())", &[])
        .expect("pg_stat_statements")
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert!(statements.iter().any(|query| query.contains("ringfence.login")), "they are there");
    let logs = ["server.log", "server.csv", "server.json"].map(|file| (file, server_log(file)));
    for secret in [
        &good[..11],
        &good[good.len() - 20..],
        &bad[bad.len() - 20..],
        "CANARYKEY",
        "CANARYSHORT",
        "CANARYSUB",
        "67 65 78 65 82 89",
    ] {
        if let Some(found) = statements.iter().find(|query| query.contains(secret)) {
            panic!("pg_stat_statements: {found}");
        }
        for (file, log) in &logs {
            if let Some(found) = log.lines().find(|line| line.contains("token_secrecy") && line.contains(secret)) {
                panic!("{file}: {found}");
            }
        }
    }
    let log = &logs[0].1;
    assert!(
        log.contains("test_token_secrecy LOG:  duration") && log.contains("ringfence.login(***"),
        "it is logged all the same"
    );
}
