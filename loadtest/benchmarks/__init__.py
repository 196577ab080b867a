"""What loadtest/bench measures: each module has functions that take a Bench and add rows to its tables."""
