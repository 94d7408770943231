"""A phone company for drills, tests and rehearsals: Twilio's wire protocol outside, invented citizens inside.

A separate program (`python -m scripts.simulated_carrier`), never imported by the product: the product speaks to it with
the real `twilio` package. docs/simulation.md says what it does and how to make it misbehave.
"""
