"""Who reads segments and who writes them, and how long their forms may be."""

READERS = ("administrator", "strategist", "supervisor", "pollster")
SEEING = ("administrator", "strategist", "supervisor")  # who may see people at all; a pollster sees figures
AUTHORS = ("administrator", "strategist", "pollster")
MAX_FORM = 4_000_000  # bytes: a rule of ten thousand conditions, pasted, still gets its sentence
