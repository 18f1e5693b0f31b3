# shellcheck shell=sh
# Sourced by ./check: put PostgreSQL's server programs on PATH, for Debian keeps them out of it.

find_postgres() {
    command -v initdb >/dev/null 2>&1 && return 0
    for folder in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin; do
        [ ! -x "$folder/initdb" ] || PATH=$folder:$PATH
    done
    command -v initdb >/dev/null 2>&1
}

if ! find_postgres; then
    if [ -n "${CI:-}" ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y postgresql; } >/dev/null 2>&1 || :
    fi
    find_postgres || cat >&2 <<'END'
**********************************************************************
*  NO POSTGRESQL SERVER PROGRAMS (initdb, pg_ctl) WERE FOUND:        *
*  every test that needs PostgreSQL is skipped.                      *
*  On Debian and Ubuntu: apt-get install -y postgresql               *
**********************************************************************
END
fi
