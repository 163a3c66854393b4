"""Every decoy, by name. A new one is one entry in the file that it fits."""

from holdfast.core.errors import NotFoundError
from holdfast.drills.decoys import benign_changes, delivery, traffic_shifts
from holdfast.drills.decoys.decoy import Decoy

DECOYS: dict[str, Decoy] = {decoy.name: decoy for file in (benign_changes, traffic_shifts, delivery) for decoy in file.DECOYS}


def find_decoy(name: str) -> Decoy:
    """The decoy `name`.

    Raises:
        NotFoundError: there is none of that name.
    """
    if name not in DECOYS:
        raise NotFoundError(f"no decoy {name!r}; there are {', '.join(DECOYS)}")
    return DECOYS[name]
