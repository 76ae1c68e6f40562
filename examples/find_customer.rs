//! Finds customers of one owner: find_customer OWNER QUERY   (tokio-postgres; connection by the PG* environment variables)

use std::env;
use tokio_postgres::{Config, NoTls};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = env::args().collect();
    let [_, owner, query] = &arguments[..] else {
        return Err("usage: find_customer OWNER QUERY".into());
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

    // The owner is bound for one transaction, and is gone when it ends.
    let transaction = client.transaction().await?;
    transaction.execute("SELECT ringfence.enter($1)", &[owner]).await?;
    for row in transaction.query("SELECT name, phones FROM ringfence.search_customers($1)", &[query]).await? {
        let (name, phones): (String, Vec<String>) = (row.get("name"), row.get("phones"));
        println!("{name}\t{}", phones.join(", "));
    }
    transaction.commit().await?;
    Ok(())
}
