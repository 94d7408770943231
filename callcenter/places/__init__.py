"""Sections, municipalities and districts: their files, figures, map and past results (docs/territory.md)."""
