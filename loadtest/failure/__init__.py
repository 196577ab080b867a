"""What loadtest/failing does: a run against a provider that fails, and its judgement."""
