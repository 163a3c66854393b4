"""Every fault, by name. A new one is one entry in the file of its layer."""

from holdfast.core.errors import NotFoundError
from holdfast.drills.faults import downstream_integration, input_data, model_configuration, output_processing, prompt_engineering
from holdfast.drills.faults.fault import Fault

FAULTS: dict[str, Fault] = {
    fault.name: fault
    for layer in (input_data, prompt_engineering, model_configuration, output_processing, downstream_integration)
    for fault in layer.FAULTS
}


def find_fault(name: str) -> Fault:
    """The fault `name`.

    Raises:
        NotFoundError: there is none of that name.
    """
    if name not in FAULTS:
        raise NotFoundError(f"no fault {name!r}; there are {', '.join(FAULTS)}")
    return FAULTS[name]
