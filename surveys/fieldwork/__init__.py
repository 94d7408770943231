"""Interviews while they are done: by operators, keys, links; quotas; whose they are."""
