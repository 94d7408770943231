"""Lists of people on their way in: read, mapped, previewed, merged, undone (docs/import.md)."""
