"""What loadtest/upgrade does: a fleet that is upgraded while a mailing runs, and its judgement."""
