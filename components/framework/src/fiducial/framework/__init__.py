"""Steps, chains and executors: run a reference chain anywhere with the same answer."""
