"""Sphinx configuration of Fiducial's documentation (MyST Markdown, built by ``make docs``)."""

project = "Fiducial"
author = "The Fiducial developers"
copyright = "2026, The Fiducial developers"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "fieldlist"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "Fiducial"
