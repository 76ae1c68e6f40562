# ringfence, with PostgreSQL 15 or that of PG_MAJOR=16, 17 or 18. `make demo` shows it, `make test` tests it; both install what is missing, and touch no existing cluster.

SHELL := /bin/bash
PG_CONFIG ?= $(shell command -v pg_config)

.PHONY: help all package package-all test-package demo test test-all upgrade-diff upgrade-draft test-clients noninterference bench run install sample-data format

help:
	@echo 'make demo      builds ringfence and plays the story of Ms. Tsai on a throw-away cluster'
	@echo 'make test      the same set-up, then every test (TEST=attack_role for one, or for all with that in their name)'
	@echo 'make test-clients   tries every recipe of docs/orm.md; installs ActiveRecord, Eloquent, EclipseLink, Go, dbt and others first'
	@echo 'make noninterference   runs random programs with and without other owners (N=1000000 programs, SEED=... ONLY=... for one)'
	@echo 'make test PG_MAJOR=18   with another PostgreSQL than 15; make test-all: with each of 15 to 18'
	@echo 'make upgrade-diff   how a database that ALTER EXTENSION ringfence UPDATE has upgraded differs from a new one'
	@echo 'make bench     the same set-up, then measures, on the same kind of cluster (BENCH=... for one room, SET=M for 5 million customers)'
	@echo 'make run       psql on a throw-away cluster with the sample data'
	@echo 'make package   makes a Debian package and an archive for PGXN in dist/ (PG_MAJOR=18 for another server; make package-all, make test-package)'
	@echo 'make install   installs into the server of PG_CONFIG=... ($(PG_CONFIG))'
	@echo 'make format    formats the Rust code'

demo:
	@examples/demo.sh

test:
	@TEST=$(TEST) tests/run.sh

test-all:
	@for major in 15 16 17 18; do PG_MAJOR=$$major tests/run.sh || exit 1; done

test-clients:
	@tests/clients.sh

noninterference:
	@NONINTERFERENCE_PROGRAMS=$(or $(N),1000000) NONINTERFERENCE_SEED=$(SEED) NONINTERFERENCE_ONLY=$(ONLY) NONINTERFERENCE_KIND=$(KIND) \
	    NONINTERFERENCE_WITHOUT=$(WITHOUT) NONINTERFERENCE_FAILURES=$(FAILURES) tests/noninterference.sh

# What is missing in the upgrade script: + is what only a new database has, - what only an upgraded one has.
upgrade-diff:
	@tests/upgrade.sh diff

# The statements that are missing in it, as a draft.
upgrade-draft:
	@tests/upgrade.sh draft

bench:
	@benches/run.sh $(BENCH)

run:
	@examples/run.sh

# PostgreSQL's package installer for PGXN wants it, and then `install`.
all:
	@pgrx-config/build.sh target/pgxn

# dist/: a Debian package for the server of PG_MAJOR, and the archive for PGXN.
package:
	@pgrx-config/package.sh

package-all:
	@for major in 15 16 17 18; do PG_MAJOR=$$major pgrx-config/package.sh || exit 1; done

test-package:
	@tests/package.sh

install:
	@pgrx-config/install.sh "$(PG_CONFIG)"

# Writes examples/data again: the same data each time.
sample-data:
	@python3 examples/make_sample_data.py examples/data

format:
	@cargo fmt --all
