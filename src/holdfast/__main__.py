"""`python -m holdfast`: the same as the command."""

from holdfast.cli.main import app

app()
