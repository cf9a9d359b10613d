"""Lock, build, validate, publish and deploy software stacks."""
