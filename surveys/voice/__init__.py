"""What a recorded survey says, and what people answer in their own voice (docs/ivr.md)."""
