import pytest

from holdfast.act.revert_template import RevertTemplate, RevertTemplateArguments
from holdfast.control.effects import UseTemplate
from holdfast.core.errors import InputError
from tests.act.examples import EXAMPLE, ROUTE
from tests.control.examples import lease, snapshot

ACTION = RevertTemplate()


def test_without_a_name_it_is_the_template_of_the_route() -> None:
    effect = ACTION.effect(RevertTemplateArguments(), ROUTE, EXAMPLE)
    assert effect == UseTemplate(template="sorry")
    assert "no model is asked" in ACTION.does(effect)


@pytest.mark.parametrize("scope", [{"tenant": "acme"}, {"route": "search"}], ids=["no-route", "route-without-template"])
def test_where_no_template_can_be_chosen_one_must_be_named(scope: dict[str, str]) -> None:
    with pytest.raises(InputError, match=r"arguments\.template: is needed"):
        ACTION.effect(RevertTemplateArguments(), scope, EXAMPLE)
    assert ACTION.effect(RevertTemplateArguments(template="sorry"), scope, EXAMPLE) == UseTemplate(template="sorry")


def test_a_template_that_there_is_not_is_refused() -> None:
    with pytest.raises(InputError, match="there is no template 'gone': sorry"):
        ACTION.effect(RevertTemplateArguments(template="gone"), ROUTE, EXAMPLE)


def test_it_says_who_answers_now() -> None:
    wanted = UseTemplate(template="sorry")
    assert ACTION.before(wanted, {"route": "support"}, EXAMPLE) == "answered by a model"
    assert ACTION.before(wanted, {"route": "support"}, snapshot(lease(wanted))) == "answered with the template sorry"
