"""Every script and command explains itself and stands in the docs; every link of the docs leads somewhere."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from flask import Flask

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def _scripts() -> list[str]:
    """Modules of scripts/ that can be run: they say so."""
    found = []
    for path in (ROOT / "scripts").rglob("*.py"):
        if '__name__ == "__main__"' in path.read_text():
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__")
            found.append(module)
    return sorted(found)


@pytest.fixture(scope="module")
def all_docs() -> str:
    return "\n".join(page.read_text() for page in PAGES)


@pytest.mark.parametrize("module", _scripts())
def test_every_script_explains_itself_and_is_in_the_docs(module: str, all_docs: str) -> None:
    said = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "usage" in said.stdout.lower()
    assert f"python -m {module}" in all_docs


def _commands(group: click.Group, path: str = "flask") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")


def test_every_command_has_help_and_is_in_the_docs(app: Flask, all_docs: str) -> None:
    ours = [(path, command) for path, command in _commands(app.cli) if not isinstance(command, click.Group)]
    ours = [(path, command) for path, command in ours if not path.startswith(("flask fsclean", "flask limiter"))]
    assert [path for path, command in ours if not command.help] == []
    assert [path for path, _ in ours if path not in all_docs] == []


def test_every_room_says_what_it_is_and_stands_on_the_map() -> None:
    plan = (ROOT / "docs" / "architecture.md").read_text()
    rooms = [path for floor in ("callcenter", "surveys", "campaigns") for path in (ROOT / floor).glob("*/__init__.py")]
    assert [path for path in rooms if not path.read_text().startswith('"""')] == []
    assert [path for path in rooms if f"`{path.parent.relative_to(ROOT)}/`" not in plan] == []


def test_every_link_of_the_docs_leads_to_a_file() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in LINK.findall(page.read_text())
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_the_readme_names_both_commands_in_both_languages() -> None:
    for name in ("README.md", "README.es.md"):
        text = (ROOT / name).read_text()
        assert "make run" in text
        assert "make test" in text
