# SPDX-License-Identifier: MIT
# Sourced by pipelines/demo and tests/run, in the project's root: what both need before they start.

packages_build="meson ninja-build pkg-config g++ libtorch-dev libopenblas0-pthread
  libopencv-core-dev libopencv-imgproc-dev libopencv-imgcodecs-dev libjpeg-dev libglib2.0-dev
  libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libcli11-dev nlohmann-json3-dev libfmt-dev"
packages_run="gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good"
# For films in H.264 and the like; a camera and pictures need none.
packages_video="gstreamer1.0-libav"
packages_tests="check gstreamer1.0-plugins-bad"
# Small, for the tests that run unetseg in other programs; these are skipped without.
packages_clients="libgstrtspserver-1.0-dev python3-gi gir1.2-gst-plugins-base-1.0"

# install_packages [tests|video]: by apt, saying what and why; asks for root through sudo only where needed.
install_packages() {
  wanted="$packages_build $packages_run"
  case ${1:-} in
    tests) wanted="$wanted $packages_tests $packages_clients" ;;
    video) wanted="$wanted $packages_video" ;;
  esac
  if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "This is no Debian: install the equivalents of" $wanted "and run this again if the build fails." >&2
    return 0
  fi
  missing=
  for package in $wanted; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
  done
  if [ -z "$missing" ]; then return 0; fi
  echo "Installing what the build, GStreamer and the tests need:$missing" >&2
  as_root=
  if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
      echo "error: not root, and there is no sudo: have an administrator run: apt-get install$missing" >&2
      return 1
    fi
    as_root=sudo
  fi
  $as_root apt-get update -qq
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# build_project FOLDER [TARGET]: configures on the first call, then builds what changed of TARGET (all).
build_project() {
  if [ ! -f "$1/build.ninja" ]; then meson setup "$1" ${MESON_OPTIONS:-} >/dev/null || { tail -n 20 "$1/meson-logs/meson-log.txt" >&2; return 1; }; fi
  echo "Building (a few minutes the first time)..." >&2
  ninja -C "$1" "${2:-all}" >"$1/build.log" 2>&1 || { grep -E -A12 'error|FAILED' "$1/build.log" >&2; return 1; }
}
