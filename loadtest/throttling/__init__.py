"""What loadtest/throttle does: cases, the trial of one, the probe, the measure."""
