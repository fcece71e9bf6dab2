#!/usr/bin/env bash
# Makes sure the Debian packages that the build needs are there. tools/quickstart.sh and tests/run.sh
# source it and call install_dependencies; run by itself it does the same.
# Asks nothing; does nothing when all is there. MRCNN_NO_INSTALL=1 only reports. Returns 3 when
# packages are missing and this user may not install them. A script that needs more adds to
# needed_packages first.

needed_packages=(
  g++ cmake ninja-build
  libdnnl-dev                            # oneDNN: convolution and matrix products
  libturbojpeg0-dev libpng-dev zlib1g-dev
  libexpat1-dev                          # XML annotations
  libsimdjson-dev rapidjson-dev libfmt-dev libcli11-dev
  doctest-dev python3                    # tests
)

# The packages of the list that dpkg does not know as installed, one per line.
missing_packages() {
  local package
  for package in "${needed_packages[@]}"; do
    if [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) != installed ]]; then
      echo "$package"
    fi
  done
}

apt_install() {
  "$@" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >/dev/null
}

install_dependencies() {
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "This is not Debian or Ubuntu, so nothing is installed here. Needed: a C++20 compiler," \
      "CMake 3.25, Ninja, oneDNN 2.6, libjpeg-turbo (TurboJPEG), libpng, zlib, Expat, simdjson 3," \
      "RapidJSON, fmt 9, CLI11 2, doctest 2.4." >&2
    return 0 # CMake says what is missing
  fi
  local missing as_root=()
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]})) || return 0

  local may_install=yes
  if ((EUID != 0)); then
    as_root=(sudo)
    # sudo may ask for a password only where somebody can answer.
    if ! command -v sudo >/dev/null || { ! sudo -n true 2>/dev/null && [[ ! -t 0 ]]; }; then
      may_install=no
    fi
  fi
  if [[ -n ${MRCNN_NO_INSTALL:-} || $may_install == no ]]; then
    echo "Packages are missing. Run as root, then start this again:" >&2
    echo "  apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
    return 3
  fi

  echo "Installing with apt-get: ${missing[*]}" >&2
  # A machine whose package lists are in place needs no update; a fresh one fails fast without.
  if ! apt_install "${as_root[@]}" 2>/dev/null; then
    if ! "${as_root[@]}" apt-get update -qq || ! apt_install "${as_root[@]}"; then
      echo "apt-get could not install them: see its message above." >&2
      return 3
    fi
  fi
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  set -euo pipefail
  install_dependencies
fi
