package main

import (
	"context"
	"errors"
	"log"
	"reflect"
	"strings"

	"github.com/jackc/pgx/v4"
	"github.com/jackc/pgx/v4/pgxpool"
)

const tsaiA = "a0000000-0000-0000-0000-000000000001"

func names(ctx context.Context, pool *pgxpool.Pool, owner string) (found []string, err error) {
	err = asOwner(ctx, pool, owner, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `SELECT name FROM app.customer ORDER BY name COLLATE "C"`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return err
			}
			found = append(found, name)
		}
		return rows.Err()
	})
	return found, err
}

func same(expected, found interface{}) {
	if !reflect.DeepEqual(expected, found) {
		log.Fatalf("%v is not %v", found, expected)
	}
}

func refused(part string, err error) {
	if err == nil || !strings.Contains(err.Error(), part) {
		log.Fatalf("not refused (%s): %v", part, err)
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	ctx := context.Background()
	pool, err := pgxpool.Connect(ctx, "")
	must(err)
	defer pool.Close()

	ofA := []string{"Chen Wei", "Tsai Mei-Ling", "蔡美玲"}
	found, err := names(ctx, pool, "Company A")
	must(err)
	same(ofA, found)
	found, err = names(ctx, pool, "Company B")
	must(err)
	same([]string{"Tsai Mei-Ling", "Łukasz Kowalski"}, found)
	_, err = names(ctx, pool, "Company C")
	refused("has no access to owner", err)
	_, err = pool.Exec(ctx, "SELECT name FROM app.customer")
	refused("no owner is selected", err)

	// A suite rolls back, by an error of its own.
	done := errors.New("done")
	err = asOwner(ctx, pool, "Company A", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "INSERT INTO app.customer (name) VALUES ('Only a test')"); err != nil {
			return err
		}
		return done
	})
	same(done, err)
	found, err = names(ctx, pool, "Company A")
	must(err)
	same(ofA, found)

	var id string
	must(asOwner(ctx, pool, "Company A", func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, "INSERT INTO app.customer (name, phones, custom) VALUES ($1, $2, $3) RETURNING id::text",
			"Wu", []string{"0912-000-001"}, map[string]string{"Plan": "gold"}).Scan(&id)
	}))
	renamed, err := rename(ctx, pool, "Company A", id, "Wu Mei")
	must(err)
	same(true, renamed)
	must(asOwner(ctx, pool, "Company A", func(tx pgx.Tx) error {
		var name string
		var phones []string
		var custom map[string]string
		err := tx.QueryRow(ctx, "SELECT name, phones, custom FROM app.customer WHERE id = $1", id).
			Scan(&name, &phones, &custom)
		same("Wu Mei", name)
		same([]string{"0912-000-001"}, phones)
		same(map[string]string{"Plan": "gold"}, custom)
		return err
	}))
	renamed, err = rename(ctx, pool, "Company B", tsaiA, "stolen")
	must(err)
	same(false, renamed)
}
