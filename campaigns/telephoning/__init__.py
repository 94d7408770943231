"""Calling campaigns: wizard, forecast, settings, quotas, and why one does not dial (docs/dialer.md)."""
