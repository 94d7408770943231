"""The picture of a recording: how loud each side was, as one SVG drawn on the server."""

from typing import Any

from markupsafe import Markup

QUIETEST = 10  # hundredths; what stays below is drawn small, so that hiss does not look like speech
HEIGHT = 100  # units; the citizen above the middle line, everybody else below


def wave(peaks: dict[str, Any] | None) -> Markup | None:
    """The SVG of `recording_sound.Sound.peaks`, None without any. Its width is its number of columns."""
    left, right = ([max(0, min(100, int(peak))) for peak in (peaks or {}).get(side, [])] for side in ("left", "right"))
    if not left:
        return None
    half = HEIGHT / 2
    unit = half / max(QUIETEST, *left, *right)  # telephones are quiet: the loudest moment fills the picture
    upper = _outline([round(half - peak * unit, 1) for peak in left], half)
    lower = _outline([round(half + peak * unit, 1) for peak in right], half)
    return Markup(
        '<svg viewBox="0 0 {width} {height}" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        '<path class="wave-left" d="{upper}"/><path class="wave-right" d="{lower}"/>'
        '<path class="wave-axis" d="M0 {half:g}H{width}"/></svg>'
    ).format(width=len(left), height=HEIGHT, upper=upper, lower=lower, half=half)


def _outline(levels: list[float], middle: float) -> str:
    """A step for each column, from the middle line and back to it."""
    steps = "".join(f"V{level:g}H{column + 1}" for column, level in enumerate(levels))
    return f"M0 {middle:g}{steps}V{middle:g}Z"
