"""Simulated operators: clients of the product's own pages, who bring a drill's floor to life.

They sign in, go available, ask the questions that the screen shows and write down what the citizen says. What a real
operator hears through the headset, they are told by the simulated carrier. docs/simulation.md: how to switch them on.
"""
