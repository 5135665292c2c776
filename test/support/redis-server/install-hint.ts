const perSystem = `  Debian, Ubuntu   sudo apt-get install redis-server
  Fedora           sudo dnf install valkey
  Alpine           sudo apk add redis
  Arch             sudo pacman -S valkey
  macOS            brew install redis
  Windows          run this inside WSL, or set REDIS_URL
  Docker, Podman   start the engine; the container comes by itself
  elsewhere        set REDIS_URL=redis://host:port to a server whose data may be thrown away`;

/** The error for a machine without any server: why each way was closed, then how to open one, a line per system. */
export function nothingFound(reasons: readonly string[]): Error {
  return new Error(`No Redis to run against: ${reasons.join("; ")}.\nHow to get one:\n${perSystem}`);
}
