# Read by other scripts: what they need of Debian.
say() { printf '%s\n' "$*" >&2; }

need_debian_packages() {
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "Installing Debian packages: $*"
        apt-get update -qq >&2
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
    else
        say "Missing on this machine: $*. Install it, for instance with"
        say "    sudo apt-get install $*"
        exit 1
    fi
}
