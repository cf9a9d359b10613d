"""``python -m fiducial.validation``."""

from fiducial.validation.cli import main

main()
