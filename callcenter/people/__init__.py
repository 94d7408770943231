"""People beside their row: cards, phones, attributes, history, duplicates, and the structure that brought them."""
