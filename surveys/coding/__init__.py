"""Open answers as codes: frames, blind second codings, agreement."""
