"""Samples, waves, and what became of every case by AAPOR's codes."""
