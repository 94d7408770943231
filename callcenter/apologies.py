"""What somebody hears who picked up and found nobody: that we are sorry, and who called. Pure.

Spoken in the citizens' language, whatever the screens speak.
"""

import hashlib

LANGUAGE = "es"


def words(on_behalf_of: str) -> str:
    """The whole sentence; `on_behalf_of` may be empty."""
    caller = f"Le llamamos de parte de {on_behalf_of.strip().rstrip('.')}. " if on_behalf_of.strip() else ""
    return f"Disculpe la molestia. {caller}En este momento no podemos atenderle. Que tenga buen día."


def name(on_behalf_of: str) -> str:
    """The name of the file in which a switch keeps this sentence."""
    return "apology-" + hashlib.sha256(words(on_behalf_of).encode()).hexdigest()[:32]
