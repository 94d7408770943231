"""Jobs are named by strings: each name that is enqueued leads to a function."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]


def _names(path: Path) -> Iterator[str]:
    """The names of jobs that a module enqueues, written there or in a constant of its own."""
    tree = ast.parse(path.read_text())
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("enqueue_later"):
            said = node.args[1]
            name = said.value if isinstance(said, ast.Constant) else constants.get(ast.unparse(said))
            if isinstance(name, str):
                yield name


def test_every_name_of_a_job_leads_to_a_function() -> None:
    paths = [path for floor in ("callcenter", "surveys", "campaigns") for path in (ROOT / floor).rglob("*.py")]
    names = {name for path in paths for name in _names(path)}
    assert len(names) > 50
    lost = []
    for name in sorted(names):
        module, _, function = name.rpartition(".")
        try:
            is_there = callable(getattr(importlib.import_module(module), function, None))
        except ModuleNotFoundError:
            is_there = False
        if not is_there:
            lost.append(name)
    assert lost == []
