"""Sets up this machine: Java, uv, the environment `.venv`, Delta's jars. Standard library only.

`make` calls it when pyproject.toml, uv.lock or this file is newer than the environment.
"""

import os
import re
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from shlex import quote

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
STAMP = ENVIRONMENT / ".ready"
JAVA_VERSIONS = ("17", "21")
JAVA_PACKAGE = "openjdk-17-jre-headless"
VENV_PACKAGE = "python3-venv"
OPTIONS = ("--quiet", "--extra", "local")
INDEXES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")  # a company's own, in this order


def main():
    system_is_supported()
    python_is_new_enough()
    java()
    environment()
    print("jars         Delta Lake", flush=True)
    run([ENVIRONMENT / "bin" / "python", "-c",
         "from branchline.spark.jars import delta_jars; delta_jars()"])
    print("JVM          class-data archive", flush=True)
    run([ENVIRONMENT / "bin" / "python", "-m", "branchline.spark.archive"])
    STAMP.touch()


def system_is_supported():
    if sys.platform == "win32":
        stop("Branchline runs on Linux, macOS and WSL; this is Windows. Run make within WSL.")


def python_is_new_enough():
    if sys.version_info < (3, 8):
        stop("Python %s.%s is too old to set this up; expected 3.8 or later as `python3`."
             % sys.version_info[:2])


def java():
    """Java 17 or 21 from JAVA_HOME or PATH; installed on Debian if we have the rights."""
    found = java_version()
    if found in JAVA_VERSIONS:
        return print("java         version " + found, flush=True)
    print("java         %s found, installing %s" % (found or "none", JAVA_PACKAGE), flush=True)
    install(JAVA_PACKAGE, "Java 17 or 21 (found: %s)" % (found or "none"))
    if java_version() not in JAVA_VERSIONS:
        stop("Java: %s is still the first in JAVA_HOME or PATH; set JAVA_HOME to a Java 17."
             % java_version())


def java_version():
    home = os.environ.get("JAVA_HOME")
    program = (home and shutil.which("java", path=home + "/bin")) or shutil.which("java")
    if not program:
        return None
    said = subprocess.run([program, "-version"], stderr=subprocess.PIPE, text=True).stderr
    version = re.search(r'version "(\d+)', said)
    return version.group(1) if version else None


def install(package, what):
    """Install a Debian package if apt and the rights are there, else say how."""
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    may = not sudo or (shutil.which("sudo") and succeeds(["sudo", "-n", "true"]))
    if shutil.which("apt-get") and may:
        env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        if (succeeds(sudo + ["apt-get", "update", "-qq"], env)
                and succeeds(sudo + ["apt-get", "install", "-y", "-qq", package], env)):
            return
    stop("%s is needed; install it with: %s, then run make again." % (what, command_for(package)))


def command_for(package):
    """The one command that installs the package on this system."""
    if sys.platform == "darwin":
        return "brew install %s" % ("openjdk@17" if package == JAVA_PACKAGE else "python@3.11")
    if shutil.which("apt-get"):
        return "sudo apt-get install " + package
    if shutil.which("dnf"):
        return "sudo dnf install %s" % ("java-17-openjdk-headless" if package == JAVA_PACKAGE
                                        else "python3")
    return "your system's package manager (a JRE 17)" if package == JAVA_PACKAGE else "it"


def environment():
    """The environment with uv.lock's versions, from an index if a variable names one."""
    index = one_index()
    uv = find_uv()
    rename_in_lock()
    place = environment_place()
    print("environment  .venv, as uv.lock says" + (index and ", from " + index), flush=True)
    if index:
        sync_from_index(uv, place)
    else:
        os.environ["UV_PROJECT_ENVIRONMENT"] = str(place)
        run([uv, "sync", "--frozen", *OPTIONS, "--compile-bytecode", *chosen_python(uv)])
    if place != ENVIRONMENT:
        start_from(place)


def environment_place():
    """`.venv`; in the user's cache if this folder's path holds a percent sign.

    The scripts of MLflow's database migrations are in the environment, and Alembic takes a percent
    sign in their path for a placeholder.
    """
    if "%" not in str(ROOT):
        return ENVIRONMENT
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = cache / "branchline" / "environments" / sha256(str(ROOT).encode()).hexdigest()[:12]
    if "%" in str(place):
        stop("%s: the path holds a percent sign, and so does %s, where the environment would be "
             "instead; rename one of them, or set XDG_CACHE_HOME." % (ROOT, cache))
    print("             in %s: no path with a percent sign may hold it" % place, flush=True)
    return place


def start_from(place):
    """Make `.venv/bin` start the programs of the environment in another place.

    Python would take a link to it for another environment; a script works.
    """
    shutil.rmtree(str(ENVIRONMENT), ignore_errors=True)
    (ENVIRONMENT / "bin").mkdir(parents=True)
    for program in sorted((place / "bin").iterdir()):
        here = ENVIRONMENT / "bin" / program.name
        if program.name.startswith("python"):
            here.write_text('#!/bin/sh\nexec %s "$@"\n' % quote(str(program)))
            here.chmod(0o755)
        else:
            here.symlink_to(program)


def rename_in_lock():
    """Put the project's name from pyproject.toml into uv.lock, which uv requires."""
    project, lock = ROOT / "pyproject.toml", ROOT / "uv.lock"
    given = re.search(r'^\[project\]$[^\[]*?^name\s*=\s*"([^"]+)"',
                      project.read_text(encoding="utf-8"), re.MULTILINE)
    text = lock.read_text(encoding="utf-8")
    locked = re.search(r'name = "([^"]+)"\nversion = "[^"]+"\nsource = {[^}]* = "\." }', text)
    name = given and re.sub(r"[-_.]+", "-", given.group(1)).lower()
    if name and locked and locked.group(1) != name:
        print("uv.lock      the project is %s now; commit it" % name, flush=True)
        lock.write_text(text.replace('"%s"' % locked.group(1), '"%s"' % name), encoding="utf-8")


def find_uv():
    """uv from PATH, else our own in `.uv`."""
    own = ROOT / ".uv" / "bin" / "uv"
    found = shutil.which("uv") or (str(own) if own.exists() else None)
    if found:
        return found
    print("uv           installing into .uv", flush=True)
    if not succeeds([sys.executable, "-m", "venv", "--clear", ROOT / ".uv"]):
        install(VENV_PACKAGE, "Python's venv module")
        run([sys.executable, "-m", "venv", "--clear", ROOT / ".uv"])
    run([ROOT / ".uv" / "bin" / "python", "-m", "pip", "install", "--quiet",
         "--disable-pip-version-check", "uv>=0.9"])
    return str(own)


def one_index():
    """The variable that names the index to install from, for pip and uv alike; else nothing."""
    name = next((name for name in INDEXES if os.environ.get(name)), "")
    if name:
        os.environ.update(dict.fromkeys(("UV_DEFAULT_INDEX", "PIP_INDEX_URL"), os.environ[name]))
    return name


def sync_from_index(uv, place):
    """Install uv.lock's versions and hashes from another index than the one it was made with.

    `uv sync --frozen` uses the addresses in uv.lock, whatever index is set.
    """
    run([uv, "venv", "--quiet", "--allow-existing", *chosen_python(uv), place])
    requirements = place / "requirements.txt"
    run([uv, "export", "--frozen", *OPTIONS, "--output-file", requirements])
    run([uv, "pip", "sync", "--quiet", "--compile-bytecode", "--python", place, requirements])


def chosen_python(uv):
    """Python 3.11, which uv.lock is tested with, if it is there; else uv's choice."""
    found = succeeds([uv, "python", "find", "--no-python-downloads", "3.11"])
    return ["--python", "3.11"] if found else []


def succeeds(command, env=None):
    return subprocess.run([str(part) for part in command], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, env=env).returncode == 0


def run(command):
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    done = subprocess.run([str(part) for part in command], cwd=str(ROOT), env=environment)
    if done.returncode:
        stop("%s failed (exit code %d); its output is above. Fix that and run make again; "
             "finished steps are kept." % (Path(command[0]).name, done.returncode))


def stop(line):
    sys.exit("bootstrap: " + line)


if __name__ == "__main__":
    main()
