"""Pure words of the domain: values and decisions, no clock, environment, network or SDK; imports nothing of ours."""
