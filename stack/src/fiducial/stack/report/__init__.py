"""The report: one page that says what was built, what was proven, and how to check it."""
