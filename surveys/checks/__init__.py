"""How interviews were done: signals, interviewers, verifying calls, questions heard again."""
