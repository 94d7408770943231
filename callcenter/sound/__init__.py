"""Recordings after the call: files, sound, picture, terms (docs/recordings.md)."""
