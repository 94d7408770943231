"""The copy of people in columns of which segments are counted."""
