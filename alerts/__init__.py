"""Alert rules, their unit tests, and an evaluator with the semantics of Azure's scheduled query rules."""
