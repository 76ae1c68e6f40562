# ringfence. `make demo` shows it, `make test` tests it; both install what is missing, and touch no existing cluster.

SHELL := /bin/bash
PG_CONFIG ?= $(shell command -v pg_config)

.PHONY: help demo test bench run install sample-data format

help:
	@echo 'make demo      builds ringfence and plays the story of Ms. Tsai on a throw-away cluster'
	@echo 'make test      the same set-up, then every test'
	@echo 'make bench     the same set-up, then measures, on the same kind of cluster (BENCH=... for one room, SET=M for 5 million customers)'
	@echo 'make run       psql on a throw-away cluster with the sample data'
	@echo 'make install   installs into the server of PG_CONFIG=... ($(PG_CONFIG))'
	@echo 'make format    formats the Rust code'

demo:
	@examples/demo.sh

test:
	@tests/run.sh

bench:
	@benches/run.sh $(BENCH)

run:
	@examples/run.sh

install:
	@pgrx-config/install.sh "$(PG_CONFIG)"

# Writes examples/data again: the same data each time.
sample-data:
	@python3 examples/make_sample_data.py examples/data

format:
	@cargo fmt
