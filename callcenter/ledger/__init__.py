"""The ledger of calls from planning to outcome, and what is done in a call."""
