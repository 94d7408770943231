"""The language of segments: read, put into SQL, built in the page, versioned, frozen (docs/segments.md)."""
