"""Weights and the errors of weighted figures."""
