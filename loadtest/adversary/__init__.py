"""The adversary of loadtest/chaos: a fleet, faults done to it, and a judge who believes the receiving side alone."""
