"""`holdfast vault …`: originals of what was redacted, through the server; and its keys."""

import getpass
from typing import Annotated, Any

import typer
from rich.markup import escape

from holdfast.cli.console import ConfigOption, out, settings_of, told
from holdfast.cli.serving import serving
from holdfast.context.visible import visible
from holdfast.core.errors import UnavailableError
from holdfast.ingest.checkpoint import replace_file
from holdfast.vault.keys import load_keys, rotated

app = typer.Typer(help="Originals of what was redacted, where an application seals them.", no_args_is_help=True)

Application = Annotated[str, typer.Argument(metavar="APPLICATION", help="Application that the pseudonym was found in.")]
Named = Annotated[str, typer.Argument(metavar="PSEUDONYM", help="Such as EMAIL_ADDRESS:3fa9c1d2.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, in three words or more; the ledger keeps it for ever.")]


@app.command()
def reveal(application: Application, pseudonym: Named, reason: Reason, config: ConfigOption = None) -> None:
    """Print the original of a pseudonym, one value a line. The ledger has it first that you saw it, and why.

    Example: holdfast vault reveal shop EMAIL_ADDRESS:3fa9c1d2 --reason "customer asked what leaked"
    """
    for value in _asked("/api/v1/reveals", application, pseudonym, reason, config)["values"]:
        out.print(escape(visible(value)), soft_wrap=True)


@app.command()
def erase(application: Application, pseudonym: Named, reason: Reason, config: ConfigOption = None) -> None:
    """Delete the original of a pseudonym for good, as somebody may ask for whose data it is.

    Example: holdfast vault erase shop EMAIL_ADDRESS:3fa9c1d2 --reason "erasure request of 23 November"
    """
    erased = _asked("/api/v1/erasures", application, pseudonym, reason, config)["erased"]
    out.print(f"{erased} erased")


@app.command()
def rotate(config: ConfigOption = None) -> None:
    """Put a new key in front of the file of keys. The server seals with it from its next start; older keys go on opening.

    Example: holdfast vault rotate
    """
    with told():
        path = settings_of(config).vault_key_file
        load_keys(path)
        replace_file(path, rotated(path.read_bytes()))
        keys = load_keys(path)
    out.print(f"{escape(str(path))}: {len(keys.ciphers)} keys, {keys.current} seals after the next start of the server")


def _asked(path: str, application: str, pseudonym: str, reason: str, config: ConfigOption) -> Any:
    body = {"application": application, "pseudonym": pseudonym, "reason": reason, "person": getpass.getuser()}
    with told(), serving(settings_of(config)) as server:
        if server is None:
            raise UnavailableError("no server runs with these settings: only it opens the vault")
        return server.ask("POST", path, json=body)
