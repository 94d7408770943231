"""Imports point down: base < callcenter < surveys < campaigns < scripts and wsgi."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FLOORS = ("callcenter.base", "callcenter", "surveys", "campaigns", "scripts", "wsgi")


def _floor(module: str) -> int | None:
    """The height of a module of ours; None for another's."""
    found = [height for height, floor in enumerate(FLOORS) if module == floor or module.startswith(floor + ".")]
    return min(found, default=None)


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            assert node.module is not None
            # `from callcenter import base` names a module, too.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _modules() -> Iterator[tuple[str, Path]]:
    for package in ("callcenter", "surveys", "campaigns"):
        for path in sorted((ROOT / package).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts), path


def test_imports_point_down() -> None:
    wrong = []
    for module, path in _modules():
        floor = _floor(module)
        assert floor is not None
        for imported in _imports(path):
            height = _floor(imported)
            # The base's own package says nothing of the ground floor above it.
            if height is not None and height > floor and imported != "callcenter.base":
                wrong.append(f"{module} imports {imported}")
    assert wrong == []


def test_the_product_never_imports_the_simulated_carrier() -> None:
    scripts = [path for path in (ROOT / "scripts").glob("*.py") if path.name != "run.py"]
    paths = [*(path for _, path in _modules()), *scripts, ROOT / "wsgi.py"]
    assert [path.name for path in paths if any("simulated_carrier" in name for name in _imports(path))] == []
