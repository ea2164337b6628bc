"""Real programs for tests, from Debian's archive, without installing anything.

    python -m tests.support.debian              # prepares all programs and prints where they are
    python -m tests.support.debian nvim hx      # only these

    nvim = debian.neovim()                      # in a test: the command's path, or the test is skipped and says why

Each program is unpacked in a folder of its own under the user's cache folder, with everything it depends on down to
the C library, and started by that library's loader. So a program of a newer Debian runs on an older one, and the
programs that it starts itself run with the host's libraries. The host's packages are neither used nor changed, no
maintainer script runs, and root is not needed. apt does the rest: it checks signatures and hashes, and works out what
depends on what, with folders of its own.

Once prepared, a program stays as it is; delete its folder to have it fetched anew.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import platformdirs
import pytest
from attrs import frozen

#: Dependencies that none of the programs needs to run: what compiles, what configures, what is only data of others.
_NOT_NEEDED = re.compile(
    r"binutils.*|libbinutils|libctf.*|libgprofng0|libsframe.*|libgcc-.*-dev|libc6-dev|libc-dev-bin|linux-libc-dev"
    r"|lib(a|hwa|l|t|ub)san\d+|libitm1|libquadmath0|libatomic1|gcc-.*-base|wget|emacs-el|emacsen-common|debconf"
    r"|install-info|openssl-provider-legacy|libc-gconv-modules-extra|readline-common"
)
#: Where packages keep what no program reads.
_NOT_UNPACKED = ("doc", "info", "locale", "man")
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_SECONDS = 600

#: How each command begins. `start NAME PROGRAM ARGUMENT...` runs a program of the folder; NAME becomes its argv[0].
_PRELUDE = """\
#!/bin/sh
root={root}
loader={loader}
libs={libs}
start() {{ name=$1; shift; exec "$loader" --library-path "$libs:$libs/llama" --argv0 "$name" "$@"; }}
"""

_EMACS = """\
# Without the real path as its name Emacs does not find its dump, and starts ten times slower.
lisp=$(echo "$root"/usr/share/emacs/[0-9]*)
libexec=$(echo "$root"/usr/libexec/emacs/[0-9]*/*)
EMACSLOADPATH=$(find "$lisp/lisp" -type d ! -name obsolete ! -name term | tr '\\n' ':')
export EMACSLOADPATH EMACSDATA="$lisp/etc" EMACSDOC="$lisp/etc" EMACSPATH="$libexec"
start "$root/usr/bin/emacs-nox" "$root/usr/bin/emacs-nox" --dump-file="$(echo "$libexec"/*.pdmp)" \\
  --eval '(setq native-comp-jit-compilation nil)' "$@"
"""

_LLAMA_SERVER = """\
# Where its backends are is compiled in, so one of them has to be named.
cpu=x64
grep -qw avx2 /proc/cpuinfo && cpu=haswell
[ "$(uname -m)" = x86_64 ] || cpu='*'
export GGML_BACKEND_PATH="${GGML_BACKEND_PATH:-$(echo "$libs"/ggml/backends*/libggml-cpu-$cpu.so | cut -d' ' -f1)}"
start llama-server "$root/usr/bin/llama-server" "$@"
"""

_LUACHECK = """\
export LUA_PATH="$root/usr/share/lua/5.1/?.lua;$root/usr/share/lua/5.1/?/init.lua"
export LUA_CPATH="$libs/lua/5.1/?.so;$root/usr/lib/lua/5.1/?.so"
start lua "$root/usr/bin/lua5.1" "$root/usr/bin/luacheck" "$@"
"""


@frozen
class Program:
    """What to fetch, and the commands it makes.

    `package` may be several, with a space between them. `commands` are shell scripts without their beginning (:data:`_PRELUDE`). `relinked` programs find loader and
    libraries by themselves: Neovim's terminal interface starts the file it runs from, which must not be the loader.
    """

    name: str
    package: str
    suite: str
    commands: Mapping[str, str]
    relinked: str = ""

    @property
    def folder(self) -> Path:
        """Where it is once prepared; another recipe has another folder."""
        recipe = hashlib.sha256(repr((self, _PRELUDE, _NOT_NEEDED.pattern)).encode()).hexdigest()
        return platformdirs.user_cache_path("tabby-ls-tests") / self.suite / f"{self.name}-{recipe[:8]}"

    def command(self, name: str) -> Path:
        """The path of one of its commands."""
        return self.folder / "bin" / name

    @property
    def is_prepared(self) -> bool:
        """Whether it can be used: a folder appears when all of it is there."""
        return self.folder.exists()


_NVIM = {"nvim": 'exec "$root/usr/bin/nvim" "$@"\n'}
PROGRAMS = {
    program.name: program
    for program in (
        Program("nvim", "neovim", "forky", _NVIM, relinked="usr/bin/nvim"),
        Program("nvim-0.10", "neovim", "trixie", _NVIM, relinked="usr/bin/nvim"),
        Program(
            "hx",
            "hx",
            "forky",
            {"hx": 'export HELIX_RUNTIME="$root/usr/lib/hx/runtime"\nstart hx "$root/usr/lib/hx/hx" "$@"\n'},
        ),
        Program(
            "emacs",
            "emacs-nox elpa-company elpa-corfu elpa-evil elpa-lsp-mode",
            "forky",
            {"emacs": _EMACS, "emacsclient": 'start emacsclient "$root/usr/bin/emacsclient.emacs" "$@"\n'},
        ),
        Program(
            "vim",
            "vim",
            "forky",
            {"vim": 'export VIM="$root/usr/share/vim"\nstart vim "$root/usr/bin/vim.basic" "$@"\n'},
        ),
        Program("llama-server", "llama.cpp-tools", "forky", {"llama-server": _LLAMA_SERVER}),
        Program("nginx", "nginx", "forky", {"nginx": 'start nginx "$root/usr/sbin/nginx" "$@"\n'}),
        Program("tmux", "tmux", "forky", {"tmux": 'start tmux "$root/usr/bin/tmux" "$@"\n'}),
        Program("luacheck", "lua-check", "forky", {"luacheck": _LUACHECK}),
        # An environment's `python` is a link to the command, and known by the name it was started with.
        Program(
            "python3.14",
            "python3.14",
            "forky",
            {"python3.14": 'start "$0" "$root/usr/bin/python3.14" "$@"\n'},
        ),
    )
}


# What tests ask for


def neovim() -> Path:
    """Neovim 0.12 or later."""
    return _command("nvim")


def neovim_0_10() -> Path:
    """Neovim 0.10, of Debian 13."""
    return _command("nvim-0.10", "nvim")


def helix() -> Path:
    """Helix."""
    return _command("hx")


def emacs() -> Path:
    """Emacs 30 or later, for terminals; `emacsclient` is beside it."""
    return _command("emacs")


def emacs_package(name: str) -> Path:
    """The folder of a package of Emacs: company, corfu, evil, lsp-mode, and what they need."""
    packages = emacs().parents[1] / "root/usr/share/emacs/site-lisp/elpa-src"
    (folder,) = packages.glob(f"{name}-[0-9]*")
    return folder


def vim() -> Path:
    """Vim 9."""
    return _command("vim")


def nginx() -> Path:
    """nginx, a proxy in front of servers."""
    return _command("nginx")


def llama_server() -> Path:
    """llama.cpp's server."""
    return _command("llama-server")


def luacheck() -> Path:
    """The linter of Lua."""
    return _command("luacheck")


def python_3_14() -> Path:
    """Python 3.14, without pip."""
    return _command("python3.14")


def tmux() -> Path:
    """The terminal multiplexer: the host's, if it has one."""
    found = shutil.which("tmux")
    return Path(found) if found else _command("tmux")


def _command(program: str, name: str = "") -> Path:
    """A prepared command; skips the test that asks where it is not prepared: tests download nothing by themselves."""
    if not PROGRAMS[program].is_prepared:
        pytest.skip(f"{program} is not there; `python -m tests.support.debian {program}` fetches it")
    return PROGRAMS[program].command(name or program)


# How they come here


class UnavailableError(Exception):
    """Why a program cannot be had, in a sentence."""


def prepare(program: Program) -> None:
    """Fetch and unpack a program unless it is there already. Several processes may do so at once.

    Raises UnavailableError: not Debian, no network, no such package, no space.
    """
    if program.is_prepared:
        return
    mirror = _mirror()
    try:
        with _locked(program.folder.parent):
            if not program.is_prepared:
                _build(program, mirror)
    except subprocess.CalledProcessError as error:
        said = (error.stderr or "").strip().splitlines()
        raise UnavailableError(f"{shlex.join(error.cmd[:2])}: {said[-1] if said else error}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(str(error)) from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; what died while it had it left only files whose names begin with a dot."""
    import fcntl  # not on Windows, which is not Debian either

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in folder.glob(".building-*"):
            shutil.rmtree(left)
        yield


def _mirror() -> str:
    """The address this host takes Debian from."""
    for tool in ("apt-get", "apt-config", "dpkg", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise UnavailableError(f"this is not Debian: there is no {tool}")
    if not _KEYRING.exists():
        raise UnavailableError(f"this is not Debian: there is no {_KEYRING}")
    codename = platform.freedesktop_os_release().get("VERSION_CODENAME", "sid")
    sources = _output("apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)", "Created-By: Packages")
    for line in sources.splitlines():
        suite, _, address = line.partition(" ")
        if suite in (codename, "stable", "testing", "unstable", "sid"):
            return address
    raise UnavailableError(f"apt's sources do not say where to get {codename} from")


def _build(program: Program, mirror: str) -> None:
    building = Path(tempfile.mkdtemp(prefix=".building-", dir=program.folder.parent))
    root = building / "root"
    for name in ("bin", "lib", "lib64", "sbin"):
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")  # as in every Debian since 12: packages may use either path
    helpers = ("patchelf",) if program.relinked else ()
    for package in _download(program.suite, mirror, (*program.package.split(), *helpers), building):
        _unpack(package, root)
    (loader,) = root.glob("usr/lib*/ld-linux*.so.?")
    (libs,) = (path.parent for path in root.glob("usr/lib/*-linux-gnu*/libc.so.6"))

    def final(path: Path) -> str:
        return str(program.folder / path.relative_to(building))

    if program.relinked:
        _relink(root / program.relinked, loader, libs, final)
    shutil.rmtree(building / "packages")
    shutil.rmtree(building / "apt")
    quoted = {
        key: shlex.quote(final(path)) for key, path in (("root", root), ("loader", loader), ("libs", libs))
    }
    (building / "bin").mkdir()
    for name, script in program.commands.items():
        command = building / "bin" / name
        command.write_text(_PRELUDE.format(**quoted) + script, "utf-8")
        command.chmod(0o755)
    (building / "lib").symlink_to("root/usr/lib")  # Python looks for its library beside `bin`
    building.rename(program.folder)


def _download(suite: str, mirror: str, packages: tuple[str, ...], building: Path) -> list[Path]:
    """Fetch packages with all they depend on; apt checks each against the archive's signature."""
    apt, debs = building / "apt", building / "packages"
    for folder in ("etc/sources.list.d", "etc/preferences.d", "etc/apt.conf.d", "etc/trusted.gpg.d"):
        (apt / folder).mkdir(parents=True)
    for folder in ("lists/partial", "cache/archives/partial"):
        (apt / folder).mkdir(parents=True)
    debs.mkdir()
    (apt / "status").touch()  # nothing is installed, so that everything counts as missing
    (apt / "etc/sources.list").write_text(f"deb [signed-by={_KEYRING}] {mirror} {suite} main\n", "utf-8")
    architecture = _output("dpkg", "--print-architecture").strip()
    options = {
        "Dir::Etc": apt / "etc",
        "Dir::State": apt,
        "Dir::State::lists": apt / "lists",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt / "cache",
        "Dir::Log": apt,
        "APT::Architecture": architecture,
        "APT::Architectures::": architecture,
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "root",
        "Debug::NoLocking": "true",  # ours is held
        "APT::Update::Error-Mode": "any",  # a mirror out of reach is an error, not a warning
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        # A mirror that stands still, as one made for repeatable tests does, is old by design.
        "Acquire::Check-Valid-Until": "false",
        "Acquire::Check-Date": "false",
    }
    proxies = _output("apt-config", "dump", "--format", '%f "%v";%n', "Acquire")
    settings = "".join(f'{name} "{value}";\n' for name, value in options.items())
    (apt / "apt.conf").write_text(f"{proxies}#clear APT::Architectures;\n{settings}", "utf-8")
    config = {"APT_CONFIG": str(apt / "apt.conf")}
    _output("apt-get", "-qq", "update", environment=config)
    plan = _output("apt-get", "-s", "install", *packages, environment=config)
    wanted = [
        f"{name}={version}"
        for name, version in re.findall(r"^Inst (\S+) \((\S+)", plan, re.MULTILINE)
        if not _NOT_NEEDED.fullmatch(name)
    ]
    _output("apt-get", "-qq", "download", *wanted, environment=config, folder=debs)
    return sorted(debs.glob("*.deb"))


def _unpack(package: Path, root: Path) -> None:
    without = (f"--exclude=./usr/share/{folder}" for folder in _NOT_UNPACKED)
    reading = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE)
    with reading:
        subprocess.run(
            ["tar", "-x", "-C", str(root), "--keep-directory-symlink", "--no-same-owner", *without],
            stdin=reading.stdout,
            stderr=subprocess.PIPE,
            text=True,
            check=True,
            timeout=_SECONDS,
        )
    if reading.returncode:
        raise UnavailableError(f"{package.name} cannot be unpacked")


def _relink(program: Path, loader: Path, libs: Path, final: Callable[[Path], str]) -> None:
    """Write into a program where its loader and libraries will be."""
    patchelf = [str(loader), "--library-path", str(libs), str(libs.parents[1] / "bin/patchelf")]
    where = ["--set-interpreter", final(loader), "--force-rpath", "--set-rpath", final(libs)]
    _output(*patchelf, *where, str(program))


def _output(*command: str, environment: Mapping[str, str] | None = None, folder: Path | None = None) -> str:
    """What a command prints; raises CalledProcessError with what it complains of."""
    done = subprocess.run(
        command,
        env={**os.environ, "LC_ALL": "C", **(environment or {})},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=_SECONDS,
    )
    return done.stdout


def main() -> int:
    """Prepare what the command line names, or everything; returns how many cannot be had."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.support.debian", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PROGRAMS))
    names = parser.parse_args().names or list(PROGRAMS)
    if unknown := set(names) - set(PROGRAMS):
        parser.error(f"no program is called {', '.join(sorted(unknown))}; there are {', '.join(PROGRAMS)}")
    missing = 0
    for name in names:
        try:
            prepare(PROGRAMS[name])
        except UnavailableError as reason:
            missing += 1
            print(f"{name}: cannot be had: {reason}", file=sys.stderr)
        else:
            for command in PROGRAMS[name].commands:
                print(f"{name}: {PROGRAMS[name].command(command)}")
    return missing


if __name__ == "__main__":
    sys.exit(main())
