"""Event Grid: ARM operations become events, events reach subscribers, at least once and in no order."""
