"""What the load tests start and look at: processes, a fleet, its Redis, the sink and its record, the ledger, a log of what happened."""
