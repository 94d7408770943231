"""Message campaigns: wizard, approval, waves, trials, the breaker, peers."""
