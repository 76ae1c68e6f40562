# Sourced after cluster.sh: the sample data in a database of the running cluster.

sample_database() {
    say "Loading the sample data: five owners, 5,000 customers"
    createdb demo
    export PGDATABASE=demo
    cd "$ROOT"
    psql -q -X -f examples/setup.sql
    local start=$EPOCHREALTIME
    psql -q -X -f examples/load.sql
    awk -v from="$start" -v to="$EPOCHREALTIME" 'BEGIN { printf "loaded by COPY in %.1f s\n", to - from }'
    psql -q -X -c 'ANALYZE'
}
