"""Units, constants, errors, counter-based random numbers and kernel launch on CPU and GPU."""
