"""What every floor stands on: settings, database, outbox, log-in, the frame of pages, live events. Imports nothing of
ours."""
