"""Questionnaires as sheets: read, checked, built in the page, compared, written again."""
