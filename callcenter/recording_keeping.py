"""How long recordings are kept, by whom they are held or deleted, and what a person is shown of theirs."""


def compose() -> None:
    """Put recordings into the registers."""
