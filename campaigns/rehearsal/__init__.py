"""A message campaign gone through with its real list, nothing sent."""
