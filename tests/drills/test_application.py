import pytest

from holdfast.core.errors import InputError, NotFoundError
from holdfast.drills.application import APPLICATIONS, load_application, parse_application, parse_articles
from holdfast.drills.phrases import PHRASES


@pytest.mark.parametrize("name", APPLICATIONS)
def test_every_application_has_a_knowledge_base_worth_retrieving_from(name: str) -> None:
    application = load_application(name)
    assert len(application.articles["en"]) >= 12
    assert len(application.sources) >= 4
    assert {route.shape for route in application.routes} >= {"rag", "tool"}
    assert sum(route.share for route in application.routes) == pytest.approx(1.0)


@pytest.mark.parametrize("name", APPLICATIONS)
def test_every_fact_can_be_asked_for_and_is_part_of_its_article(name: str) -> None:
    for language, articles in load_application(name).articles.items():
        assert language in PHRASES
        assert len({article.id for article in articles}) == len(articles)
        for article in articles:
            for fact in article.facts:
                assert fact.questions
                assert fact.statement in article.body
                assert fact.answer != fact.statement


@pytest.mark.parametrize("name", APPLICATIONS)
def test_what_a_tool_answers_names_only_values_that_it_returns(name: str) -> None:
    for tool in load_application(name).tools:
        values = dict.fromkeys([*tool.arguments, *tool.result], "x")
        for template in (*tool.questions, *tool.answers):
            assert template.format_map(values)


@pytest.mark.parametrize("name", APPLICATIONS)
def test_the_translations_of_an_article_keep_its_id_and_source(name: str) -> None:
    articles = load_application(name).articles
    english = {article.id: article.source for article in articles["en"]}
    for language in articles:
        for article in articles[language]:
            assert english[article.id] == article.source


def test_an_unknown_application_is_refused_with_the_names_that_there_are() -> None:
    with pytest.raises(NotFoundError, match="support"):
        load_application("lottery")


def test_an_unknown_route_is_refused() -> None:
    with pytest.raises(NotFoundError, match="/lottery"):
        load_application("support").route("/lottery")


def test_a_shape_without_route_is_refused() -> None:
    with pytest.raises(NotFoundError, match="voice"):
        load_application("support").first("voice")


@pytest.mark.parametrize(
    "body",
    [
        "a question? | a statement. | an answer.",
        "## id | source",
        "## id | source | title\nq | s",
        "## id | source | title\nq | | a",
    ],
)
def test_a_wrong_line_of_articles_is_refused_with_its_number(body: str) -> None:
    with pytest.raises(InputError, match=r"articles:\d"):
        parse_articles(body)


def test_an_application_without_a_needed_key_is_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"broken\.toml"):
        parse_application("broken", {"text": {"articles": {}}})
