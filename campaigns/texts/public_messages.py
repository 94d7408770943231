"""What anybody may open: the images and videos of messages, fetched by providers, and the page that ends messages."""

from flask import Blueprint, render_template, request, send_file
from flask.typing import ResponseReturnValue

from callcenter.base.auth import public
from callcenter.base.db import web_session
from callcenter.base.settings import web_settings
from callcenter.base.web import csrf
from campaigns.texts import message_media, opt_out_links

blueprint = Blueprint("public_messages", "campaigns", template_folder="templates")
A_DAY = 86_400  # seconds


@blueprint.get("/m/<token>.<extension>")
@public("providers fetch what goes with a message; nobody can guess an address")
def media(token: str, extension: str) -> ResponseReturnValue:  # noqa: ARG001  # providers look at the ending
    session, settings = web_session(), web_settings()
    found = message_media.find(session, message_media.read_token(token, settings))
    path, kind, name = message_media.file_of(session, found, settings), found.content_type, found.extension
    session.close()  # nothing is asked any more while the bytes leave
    answer = send_file(path, mimetype=kind, download_name=f"{token[:8]}.{name}", conditional=True, max_age=A_DAY)
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


@blueprint.get("/u/<code>")
@public("whoever got a message may end them")
def way_out(code: str) -> ResponseReturnValue:
    """Shows who writes and asks. Programs that open every link of a mail change nothing."""
    asked = opt_out_links.read(web_session(), code, web_settings())
    return _page(code, asked, done=False)


@blueprint.post("/u/<code>")
@public("whoever got a message may end them")
def end(code: str) -> ResponseReturnValue:
    """No more on this channel; or, when they say so on the page, none by any means.

    Not throttled: one mail provider presses the button for thousands of its people, and a code cannot be guessed."""
    session = web_session()
    asked = opt_out_links.read(session, code, web_settings())
    if request.form.get("everything") == "yes":
        opt_out_links.end_everything(session, asked)
    else:
        opt_out_links.unsubscribe(session, asked)
    session.commit()
    return _page(code, asked, done=True)


# RFC 8058: mail programs press the button themselves, without a token; what nobody can forge is the address's code.
csrf.exempt(end)


def _page(code: str, asked: opt_out_links.Asked, *, done: bool) -> ResponseReturnValue:
    page = render_template("campaigns/channels/way_out.html", code=code, asked=asked, done=done)
    return page, 200, {"X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer"}
