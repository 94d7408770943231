"""What a supervisor's floor shows, and supervisors on the line."""
