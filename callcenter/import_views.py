"""Pages of imports: upload, mapping and preview, progress, refused rows."""

from flask import Blueprint

blueprint = Blueprint("imports", __name__, url_prefix="/imports", template_folder="templates")
