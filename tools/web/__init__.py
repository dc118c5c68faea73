"""Make the files of the page that come from packages: `python -m tools.web`."""
