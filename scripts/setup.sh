# shellcheck shell=sh
# Sourced by ./start and ./check in the project's folder: set_up KIND, where KIND is runtime or dev.

unset PYTHONPATH PYTHONHOME CDPATH
root=$(pwd -P)

# A stamp is the folder's path and the file it stands for, as they were when .venv was made from them.
is_current() {
    { printf '%s\n' "$root" && cat "$1"; } | cmp -s - ".venv/stamps/$1"
}

is_ready() {
    [ -x .venv/bin/python ] && [ -x .venv/bin/dlr ] && is_current pyproject.toml && is_current requirements.lock &&
        { [ "$1" = runtime ] || is_current requirements-dev.lock; }
}

find_uv() {
    for uv in "$(command -v uv)" "${HOME:-/}/.local/bin/uv" "${HOME:-/}/.cargo/bin/uv"; do
        [ ! -x "$uv" ] || return 0
    done
    uv=
}

# Find Python >= 3.11; uv makes environments without the modules venv and ensurepip, which Debian packs apart.
find_python() {
    for name in python3.14 python3.13 python3.12 python3.11 python3; do
        python=$(command -v "$name") || continue
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        [ -z "$uv" ] || return 0
        "$python" -c 'import ensurepip, venv; ensurepip.version()' 2>/dev/null && return 0
    done
    [ -n "$uv" ] || return 1
    "$uv" python install --quiet 3.13 && python=$("$uv" python find --system '>=3.11')
}

# Whether the system's own Python is too old, so that its package manager cannot help.
is_old() {
    command -v python3 >/dev/null 2>&1 && ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# Print the command that installs what is missing on this system.
advice() {
    ID=unknown ID_LIKE='' VERSION_ID=''
    # shellcheck disable=SC1091
    [ ! -r /etc/os-release ] || . /etc/os-release
    sudo='sudo '
    [ "$(id -u)" -ne 0 ] || sudo=
    case "$ID:$VERSION_ID $ID_LIKE" in
    debian:9* | debian:10* | debian:11* | ubuntu:1* | ubuntu:20* | ubuntu:22*)
        echo "${sudo}apt-get update && ${sudo}apt-get install -y pipx && pipx install uv" ;;
    *debian* | *ubuntu*)
        if is_old; then
            echo "${sudo}apt-get update && ${sudo}apt-get install -y pipx && pipx install uv"
        else
            echo "${sudo}apt-get update && ${sudo}apt-get install -y python3 python3-venv"
        fi ;;
    *:8* | *:9*)
        case "$ID $ID_LIKE" in
        *rhel* | *centos*) echo "${sudo}dnf install -y python3.11" ;;
        *) echo 'pipx install uv' ;;
        esac ;;
    *rhel* | *fedora*) echo "${sudo}dnf install -y python3" ;;
    *arch*) echo "${sudo}pacman -S --needed python" ;;
    *alpine*) echo "${sudo}apk add python3" ;;
    *)
        if command -v brew >/dev/null 2>&1; then
            echo 'brew install python'
        elif command -v pipx >/dev/null 2>&1; then
            echo 'pipx install uv'
        else
            echo 'python3 -m pip install --user uv'
        fi ;;
    esac
}

set_up() {
    is_ready "$1" && return 0
    find_uv
    if ! find_python; then
        printf 'dlr needs Python 3.11 or newer with venv, or uv. Install it with: %s\n' "$(advice)" >&2
        exit 1
    fi
    "$python" scripts/setup.py "$1" "$uv"
}
