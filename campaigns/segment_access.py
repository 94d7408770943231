"""Who reads segments and who writes them, and how long their forms may be."""

READERS = ("administrator", "strategist", "supervisor", "pollster")
AUTHORS = ("administrator", "strategist", "pollster")
MAX_FORM = 4_000_000  # bytes: a rule of ten thousand conditions, pasted, still gets its sentence
