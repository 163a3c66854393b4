"""The application as a whole."""

from fastapi.testclient import TestClient


def test_its_own_metrics_are_there_for_prometheus(client: TestClient) -> None:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert "# HELP" in answer.text


def test_no_page_loads_scripts_from_elsewhere(client: TestClient) -> None:
    assert client.get("/docs").status_code == 404
    assert client.get("/redoc").status_code == 404
