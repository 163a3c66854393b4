"""What watches Holdfast: a Grafana dashboard and Prometheus alert rules, to download."""

from fastapi import APIRouter
from fastapi.responses import Response

from holdfast.api.context import Who
from holdfast.report.monitoring import FILES, Kind, exported

router = APIRouter(prefix="/api/v1", tags=["metrics"])


@router.get(
    "/monitoring/{kind}",
    response_class=Response,
    responses={200: {"content": {"application/json": {}, "application/yaml": {}}}},
)
def monitoring(who: Who, kind: Kind) -> Response:
    """A Grafana dashboard (JSON) or Prometheus alert rules (YAML) over the metrics of server, receiver and gateways."""
    return download(kind)


def download(kind: Kind) -> Response:
    """The file."""
    name, media_type = FILES[kind]
    return Response(exported(kind), media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})
