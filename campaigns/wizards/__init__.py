"""What the wizards of calls and messages have in common."""
