"""How soon the product is there after a fresh clone and after a restart, what it weighs, how fast its pages come."""

import gzip
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

from scripts.bench import Figure, product
from scripts.demo import LOGINS, PASSWORD

ABOUT = "fresh clone to first page, warm start, memory at rest, pages of every role"
FULL = {"fresh": 1, "warm_starts": 5, "visits_a_page": 20}
QUICK = {"fresh": 1, "warm_starts": 2, "visits_a_page": 5}
SEED = 1
REST = 10  # seconds until a started product has settled

TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
LINK = re.compile(r'<a[^>]+href="(/[^"#]*)"')
PART = re.compile(r'<(?:link|script|img)[^>]+(?:href|src)="(/[^"#]+)"')
FONTS = (".woff", ".woff2", ".ttf")


def measure(size: Mapping[str, int], seed: int) -> list[Figure]:  # noqa: ARG001 - nothing here is random
    """start_fresh_s, start_warm_s, idle_mb, page_p95_ms, page_kb."""
    figures = [Figure("start_fresh_s", _fresh(), "s", 120)] if size["fresh"] else []
    with product.temporary_folder() as folder:
        with product.start(folder / "var"):
            pass  # the first start loads the demonstration
        warm = []
        for _ in range(size["warm_starts"]):
            with product.start(folder / "var") as running:
                warm.append(running.started_in)
        with product.start(folder / "var") as running:
            time.sleep(REST)
            weight = _megabytes(running.process.pid)
            times, heaviest = _visit(running.url, size["visits_a_page"])
    return [
        *figures,
        Figure("start_warm_s", max(warm), "s", 6),
        Figure("idle_mb", weight, "MB", 900),
        Figure("page_p95_ms", times[int(len(times) * 0.95)] * 1000, "ms", 100),
        Figure("page_kb", heaviest / 1000, "kB", 150),
    ]


def _fresh() -> float:
    """Clone what is committed, `make run`, until the product says its address."""
    with product.temporary_folder() as folder:
        checkout = folder / "convoca"
        begun = time.monotonic()
        subprocess.run(["git", "clone", "-q", str(product.ROOT), str(checkout)], check=True)
        with product.start(folder / "var", command=("make", "run"), checkout=checkout, seconds=600):
            took = time.monotonic() - begun
        shutil.rmtree(checkout, ignore_errors=True)
        return took


def _megabytes(root: int) -> float:
    """The sum of the proportional set sizes of a process and all its descendants."""
    total, left = 0, [root]
    while left:
        pid = left.pop()
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            children = [task.read_text() for task in Path(f"/proc/{pid}/task").glob("*/children")]
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        total += int(next(line for line in rollup.splitlines() if line.startswith("Pss:")).split()[1])
        left += [int(child) for text in children for child in text.split()]
    return total / 1024


def _visit(url: str, visits: int) -> tuple[list[float], int]:
    """Every page that each role's navigation leads to: sorted seconds of every visit, bytes of the heaviest page."""
    times, heaviest = [], 0
    for login in LOGINS:
        browser = _sign_in(url, login.username)
        pages = _pages(browser, url)
        heaviest = max([heaviest, *(_weight(browser, url, page) for page in pages)])
        for page in pages * visits:
            begun = time.monotonic()
            _get(browser, urljoin(url, page))
            times.append(time.monotonic() - begun)
    return sorted(times), heaviest


def _sign_in(url: str, username: str) -> OpenerDirector:
    browser = build_opener(HTTPCookieProcessor(CookieJar()))
    token = TOKEN.search(_text(_get(browser, f"{url}/login")))
    form = {"csrf_token": token[1] if token else "", "username": username, "password": PASSWORD}
    headers = {"Referer": f"{url}/login", "Accept-Encoding": "gzip"}
    browser.open(Request(f"{url}/login", urlencode(form).encode(), headers)).read()
    return browser


def _pages(browser: OpenerDirector, url: str) -> list[str]:
    """The start page of a role and what its navigation names; files to download are no pages."""
    start = _text(_get(browser, url))
    return ["/", *sorted(set(_links(start)))]


def _links(text: str) -> Iterator[str]:
    for link in LINK.findall(text):
        path = urlsplit(link).path
        if not path.startswith("/static") and "logout" not in path and "." not in path.rsplit("/", 1)[-1]:
            yield link


def _weight(browser: OpenerDirector, url: str, page: str) -> int:
    """Bytes over the wire on a first load: the page and what it names, without fonts."""
    body = _get(browser, urljoin(url, page))
    parts = {part for part in PART.findall(_text(body)) if not urlsplit(part).path.endswith(FONTS)}
    return len(body) + sum(len(_get(browser, urljoin(url, part))) for part in parts)


def _get(browser: OpenerDirector, url: str) -> bytes:
    """The answer's body as it came over the wire."""
    headers = {"Accept-Encoding": "gzip", "Accept": "text/html,*/*"}
    with browser.open(Request(url, headers=headers), timeout=30) as answer:  # the product we started
        return bytes(answer.read())


def _text(body: bytes) -> str:
    return (gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body).decode(errors="replace")
