"""What became of messages: reports, costs, certificates, and why one person got one."""
