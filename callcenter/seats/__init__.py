"""What an operator sees and does outside a call: snapshot, log, pauses, attendance."""
