"""Messages on their way: planned, claimed, sent, heard of again."""
