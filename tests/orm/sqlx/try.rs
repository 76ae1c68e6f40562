mod sqlx_app;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx_app::{Customer, add, as_owner};

async fn names(pool: &sqlx::PgPool, owner: &str) -> sqlx::Result<Vec<String>> {
    let mut transaction = as_owner(pool, owner).await?;
    let found = sqlx::query_scalar(r#"SELECT name FROM app.customer ORDER BY name COLLATE "C""#)
        .fetch_all(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(found)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> sqlx::Result<()> {
    // One connection, so that each transaction comes after another owner's.
    let pool = PgPoolOptions::new().max_connections(1).connect_with(PgConnectOptions::new()).await?;
    let of_a = ["Chen Wei", "Tsai Mei-Ling", "蔡美玲"];
    assert_eq!(names(&pool, "Company A").await?, of_a);
    assert_eq!(names(&pool, "Company B").await?, ["Tsai Mei-Ling", "Łukasz Kowalski"]);
    let refused = names(&pool, "Company C").await.expect_err("no access").to_string();
    assert!(refused.contains("has no access to owner"), "{refused}");
    let refused = sqlx::query("SELECT name FROM app.customer").execute(&pool).await.expect_err("no owner").to_string();
    assert!(refused.contains("no owner is selected"), "{refused}");

    // A suite drops its transaction.
    let mut suite = as_owner(&pool, "Company A").await?;
    sqlx::query("INSERT INTO app.customer (name) VALUES ('Only a test')").execute(&mut *suite).await?;
    drop(suite);
    assert_eq!(names(&pool, "Company A").await?, of_a);

    let added = add(&pool, "Company A", "Wu").await?;
    let mut transaction = as_owner(&pool, "Company A").await?;
    sqlx::query("UPDATE app.customer SET custom = $2 WHERE id = $1")
        .bind(added.id)
        .bind(sqlx::types::Json([("Plan", "gold")].into_iter().collect::<std::collections::BTreeMap<_, _>>()))
        .execute(&mut *transaction)
        .await?;
    let read: Customer = sqlx::query_as("SELECT id, name, phones, custom FROM app.customer WHERE id = $1")
        .bind(added.id)
        .fetch_one(&mut *transaction)
        .await?;
    transaction.commit().await?;
    assert_eq!(read.custom["Plan"], "gold");
    assert_eq!((read.id, read.name), (added.id, "Wu".to_owned()));

    let mut transaction = as_owner(&pool, "Company B").await?;
    let stolen =
        sqlx::query("UPDATE app.customer SET name = 'stolen' WHERE id = 'a0000000-0000-0000-0000-000000000001'")
            .execute(&mut *transaction)
            .await?;
    assert_eq!(stolen.rows_affected(), 0);
    Ok(())
}
