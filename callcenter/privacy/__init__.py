"""Rights over one's data: requests, exports, erasure, how long things are kept (docs/privacy.md)."""
