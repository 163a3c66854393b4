"""What telemetry wrote cannot become markup in any export."""

from holdfast.report.reader import reader, tokens


def test_tables_are_read() -> None:
    assert "<td>x</td>" in reader().render("| a |\n|---|\n| x |\n")


def test_links_pictures_and_markup_are_text() -> None:
    page = reader().render(
        "[x](https://e.example) ![x](https://e.example) <https://e.example> <b>x</b> https://e.example\n\n<script>1</script>"
    )
    for markup in ("<a", "<img", "<b>", "<script"):
        assert markup not in page


def test_a_document_comes_in_pieces() -> None:
    assert [token.type for token in tokens("# x")] == ["heading_open", "inline", "heading_close"]
