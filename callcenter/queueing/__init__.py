"""Who of a queue is called next, how fast, and why not (docs/dialer.md)."""
