"""Under campaigns.pacing and campaigns.twin: estimates, odds, budget, the pacers that live in the dialer."""
