"""Studies: what is published of a survey, with all it takes to make it again."""
