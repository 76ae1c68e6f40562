//! Takes a call: take_call LINE CALLER SUBJECT   (tokio-postgres; connection by the PG* environment variables)
//!
//! Whose line it is says the database. All that follows is done for that owner, in one transaction.

use std::env;
use tokio_postgres::types::Type;
use tokio_postgres::{Config, NoTls};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = env::args().collect();
    let [_, line, caller, subject] = &arguments[..] else {
        return Err("usage: take_call LINE CALLER SUBJECT".into());
    };
    let (mut client, connection) = Config::new()
        .host(env::var("PGHOST")?)
        .port(env::var("PGPORT")?.parse()?)
        .dbname(env::var("PGDATABASE")?)
        .user(env::var("PGUSER")?)
        .password(env::var("PGPASSWORD")?)
        .connect(NoTls)
        .await?;
    tokio::spawn(connection);

    // Ids as texts: the driver needs no more types for them.
    let route = client
        .query_opt(
            "SELECT owner_id::text, owner_name, channel_id::text, project_id::text FROM ringfence.route('phone', $1)",
            &[line],
        )
        .await?
        .ok_or_else(|| format!("{line} is nobody's line"))?;
    let (owner, owner_name): (String, String) = (route.get(0), route.get(1));
    let (channel, project): (String, Option<String>) = (route.get(2), route.get(3));

    let transaction = client.transaction().await?;
    transaction.execute("SELECT ringfence.enter($1::text, $2::text, 'take_call')", &[&owner, &project]).await?;
    let found = transaction
        .query_opt("SELECT customer_id::text, name FROM ringfence.find_by_phone($1) LIMIT 1", &[caller])
        .await?;
    let customer: Option<String> = found.as_ref().map(|row| row.get(0));
    let name = found.map_or("somebody unknown".to_owned(), |row| row.get(1));
    let open = transaction
        .prepare_typed(
            "SELECT ringfence.open_ticket($1::uuid, $2, channel => $3::uuid)::text",
            &[Type::TEXT, Type::TEXT, Type::TEXT],
        )
        .await?;
    let ticket: String = transaction.query_one(&open, &[&customer, subject, &channel]).await?.get(0);
    let log = transaction
        .prepare_typed(
            "SELECT ringfence.log_interaction('call', customer => $1::uuid, ticket => $2::uuid, channel => $3::uuid, remote_address => $4)::text",
            &[Type::TEXT, Type::TEXT, Type::TEXT, Type::TEXT],
        )
        .await?;
    let call: String = transaction.query_one(&log, &[&customer, &ticket, &channel, caller]).await?.get(0);
    // The first answer to the first question of the project's script.
    let form = transaction
        .prepare_typed(
            "SELECT ringfence.respond($1::uuid, form.answer_id, '12')::text
               FROM (SELECT form.answer_id FROM ringfence.script CROSS JOIN LATERAL ringfence.script_form(script.id::text) AS form
                      WHERE project_id = $2::uuid LIMIT 1) AS form",
            &[Type::TEXT, Type::TEXT],
        )
        .await?;
    let answered = transaction.query_opt(&form, &[&call, &project]).await?.is_some();
    let number =
        transaction.prepare_typed("SELECT number FROM ringfence.ticket WHERE id = $1::uuid", &[Type::TEXT]).await?;
    let number: i64 = transaction.query_one(&number, &[&ticket]).await?.get(0);
    transaction.commit().await?;
    println!("{owner_name}\t{name}\t{subject}\t{}", if answered { "answered" } else { "no script" });
    eprintln!("ticket {number}");
    Ok(())
}
