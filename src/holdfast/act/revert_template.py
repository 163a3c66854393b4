"""`revert_template`: a static answer instead of a model's."""

from holdfast.act.protocol import Arguments, Caps
from holdfast.act.standing import among, in_force, routes_in
from holdfast.control.effects import UseTemplate
from holdfast.control.snapshot import Snapshot
from holdfast.core.errors import InputError


class RevertTemplateArguments(Arguments, frozen=True, kw_only=True):
    """`template`: which; empty: the one that the route in scope names."""

    template: str = ""


class RevertTemplate:
    """Answers with a template, without asking a model."""

    name = "revert_template"
    summary = "answer with a fixed template instead of a model"
    arguments = RevertTemplateArguments
    caps = Caps(users=500, traffic=0.1)
    needs = ()

    def effect(self, arguments: RevertTemplateArguments, scope: dict[str, str], snapshot: Snapshot) -> UseTemplate:
        """Raises InputError where there is no such template, or none can be chosen."""
        name = arguments.template
        if not name:
            routes = routes_in(scope, snapshot)
            name = routes[0].template if "route" in scope and routes else ""
        if not name:
            raise InputError("is needed: the scope names no route with a template of its own", "arguments.template")
        among("arguments.template", name, (template.name for template in snapshot.desired.templates), "template")
        return UseTemplate(template=name)

    def does(self, effect: UseTemplate) -> str:
        """In words."""
        return f"every request is answered with the template {effect.template}, no model is asked"

    def before(self, effect: UseTemplate, scope: dict[str, str], snapshot: Snapshot) -> str:
        """Whether a template answers already."""
        standing = in_force(scope, snapshot).template
        return f"answered with the template {standing}" if standing else "answered by a model"
