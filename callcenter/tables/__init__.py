"""Tables as files, in and out, and which counts in them may be shown."""
