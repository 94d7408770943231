"""What the one gate looks at: rules, law, evidence, calendar, registers (docs/calendar.md)."""
