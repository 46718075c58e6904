"""What deploys the system, and the checks that hold it true without a compiler."""
