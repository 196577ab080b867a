"""What the load tests start and look at: a fleet, its Redis, the sink and its record, a book of what happened."""
