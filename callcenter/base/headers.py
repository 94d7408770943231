"""What the browser is told to refuse, and through how many proxies a request may have come."""

from flask import Flask, Response, request
from werkzeug.middleware.proxy_fix import ProxyFix

from callcenter.base.live import live_origin
from callcenter.base.settings import Settings

STEADY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers older than frame-ancestors
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def init_app(app: Flask, settings: Settings) -> None:
    """Security headers on every answer; the proxies' headers are believed only when the settings count them."""
    if settings.proxies:
        count = settings.proxies
        proxied = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)
        app.wsgi_app = proxied  # type: ignore[method-assign]  # the way Flask's own documentation shows

    @app.after_request
    def add(response: Response) -> Response:
        for name, value in STEADY.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Content-Security-Policy", policy())
        if settings.public_url.startswith("https://"):
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store")  # pages hold personal data
        return response


def policy(*reached: str) -> str:
    """Content-Security-Policy: everything from ourselves, nothing inline; live news may come from their own port, and
    a page that needs it may reach the origins `reached`."""
    return "; ".join(
        (
            "default-src 'self'",
            " ".join(("connect-src 'self'", *filter(None, (live_origin(), *reached)))),
            "img-src 'self' data:",  # Bootstrap's own marks are data: pictures
            "media-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )
