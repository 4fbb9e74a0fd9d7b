"""The code that a step depends on, found by its imports, without importing it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path

from branchline.records import sha256

__all__ = ["Code", "code_of"]

OURS = "branchline"
MACHINERY = {"branchline.steps", "branchline.pipeline"}  # they run steps, and compute nothing


@dataclass(frozen=True)
class Code:
    """A step's code: the hash of each file, the words in it, the libraries that it imports.

    Files are named as in the wheel, `my_package/features.py`; libraries, with their versions,
    by distribution. `words` are the attributes and texts in the team's own files.
    """

    files: Mapping[str, str]
    libraries: Mapping[str, str]
    words: frozenset[str]


@cache
def code_of(module: str) -> Code | None:
    """The code that the module reaches by imports; None if one of its files cannot be
    found or parsed.

    Followed are the packages of the module's own distribution, and branchline. A package's
    `__init__` counts, but of its imports only those that were asked for by name.
    """
    roots = _Roots(module.partition(".")[0])
    try:
        return _code(_reached(module, roots), roots) if roots.file(module) else None
    except (OSError, SyntaxError, ValueError):  # a file that this run may never import
        return None


def _code(reached: Mapping[str, Path], roots: _Roots) -> Code:
    files, words, imported = dict[str, str](), set[str](), set[str]()
    for name, file in sorted(reached.items()):
        tree, files[roots.shown(name, file)] = roots.parsed(file)
        imported |= {asked.partition(".")[0] for asked, _ in _imports(tree, name, file)}
        if name.partition(".")[0] != OURS:
            words |= _words(tree)
    # Its own wheel has another version at every commit; its files are compared instead.
    foreign = {name for name in imported if not roots.is_own(name)}
    return Code(files, _libraries(foreign), frozenset(words))


class _Roots:
    """Where the packages are that count as the team's, and branchline; reads each file once."""

    def __init__(self, package: str) -> None:
        self._own = _distributions().get(package)
        self._beside = _folder(package)
        self._parsed: dict[Path, tuple[ast.Module, str]] = {}

    def parsed(self, file: Path) -> tuple[ast.Module, str]:
        """The file's syntax tree and hash."""
        if file not in self._parsed:
            text = file.read_text(encoding="utf-8")
            self._parsed[file] = ast.parse(text), sha256(text.encode())[:16]
        return self._parsed[file]

    def file(self, module: str) -> Path | None:
        """The module's file, if it is one of these packages'."""
        top, *rest = module.split(".")
        folder = _folder(top) if top == OURS or self.is_own(top) else None
        if folder is None:
            return None
        place = folder.joinpath(top, *rest)
        found = (place / "__init__.py", place.with_name(f"{place.name}.py"))
        return next((file for file in found if file.is_file()), None)

    def is_own(self, top: str) -> bool:
        return (self._beside is not None and _folder(top) == self._beside
                and _distributions().get(top) == self._own)

    def shown(self, module: str, file: Path) -> str:
        parts = module.split(".")
        return "/".join([*parts, file.name] if file.name == "__init__.py"
                        else [*parts[:-1], file.name])


@cache
def _distributions() -> Mapping[str, list[str]]:
    return packages_distributions()


@cache
def _folder(top: str) -> Path | None:
    """The folder that holds a package or module of that name; None if it has no file."""
    try:
        spec = find_spec(top)  # for a name without a dot this imports nothing
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.has_location or spec.origin is None:
        return None
    file = Path(spec.origin).resolve()
    return file.parent.parent if spec.submodule_search_locations else file.parent


def _reached(module: str, roots: _Roots) -> dict[str, Path]:
    """The files of all modules reached from this one, by the modules' names."""
    found: dict[str, Path] = {}
    waiting, seen = [(module, "")], set[tuple[str, str]]()
    while waiting:
        name, wanted = asked = waiting.pop()
        file = roots.file(name)
        if asked in seen or file is None or name in MACHINERY:
            continue
        seen.add(asked)
        found[name] = file
        parent = name.rpartition(".")[0]
        if parent and (package := roots.file(parent)):
            found.setdefault(parent, package)
        waiting += _next(name, wanted, file, roots)
    return found


def _next(module: str, wanted: str, file: Path, roots: _Roots) -> Iterator[tuple[str, str]]:
    """What importing the name `wanted` from the module, or all of the module, leads to."""
    if wanted and roots.file(f"{module}.{wanted}"):
        yield f"{module}.{wanted}", ""
        return
    tree, _ = roots.parsed(file)
    if wanted and file.name == "__init__.py":
        lazy = list(_imports(tree, module, file, typing=True))
        if passed_on := [(name, each) for name, each in lazy if each == wanted]:
            yield from passed_on
            return
    yield from _imports(tree, module, file)


def _imports(tree: ast.Module, module: str, file: Path, *,
             typing: bool = False) -> Iterator[tuple[str, str]]:
    """(module, name or "") of each import; `typing`: also those for type checkers only."""
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in _walk(tree, typing):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            up = package.rsplit(".", node.level - 1)[0] if node.level else ""
            origin = ".".join(part for part in (up, node.module) if part)
            yield from ((origin, alias.name) for alias in node.names)


def _walk(node: ast.AST, typing: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
                and not typing):
            continue
        yield child
        yield from _walk(child, typing)


def _words(tree: ast.Module) -> set[str]:
    """The attributes and the texts: among them are all settings that the code can read."""
    return ({node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
            | {node.value for node in ast.walk(tree)
               if isinstance(node, ast.Constant) and isinstance(node.value, str)})


def _libraries(imported: set[str]) -> dict[str, str]:
    """The versions of the distributions that these packages belong to, without branchline."""
    known = _distributions()
    names = {name for package in imported if package != OURS for name in known.get(package, ())}
    return {name: version(name) for name in sorted(names)}
