"""The local Azure's custom topic endpoint: who may publish, and what an event must have."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from local_azure.tokens import issue

EVENT = {
    "id": "1",
    "subject": "/subscriptions/s/resourceGroups/r/providers/P/t/n",
    "eventType": "Microsoft.Resources.ResourceWriteSuccess",
    "eventTime": "2026-11-23T00:00:00Z",
    "dataVersion": "1",
}
Post = Callable[..., requests.Response]


@pytest.fixture
def post(lab: Any) -> Post:
    """Give `post(body, audience=…, version=…)`: one request to a topic's endpoint."""

    def send(body: Any, audience: str = "https://eventgrid.azure.net", version: str = "2018-01-01") -> Any:
        token = issue(tenant="t", audience=audience, client_id="c", subscription="s") if audience else ""
        headers = {"Authorization": f"Bearer {token}"} if token else {"Authorization": ""}
        url = f"{lab.azure.arm}/eventgrid/any/api/events?api-version={version}"
        text = {"data": body} if isinstance(body, str) else {"json": body}
        return lab.fleet.session.post(url, headers=headers, timeout=10, **text)

    return send


def test_events_are_taken(post: Post) -> None:
    assert post([EVENT, {**EVENT, "id": "2"}]).status_code == 200


@pytest.mark.parametrize("audience", ["", "https://management.azure.com"])
def test_without_a_token_for_event_grid_nothing_is_taken(post: Post, audience: str) -> None:
    assert post([EVENT], audience=audience).status_code == 401


@pytest.mark.parametrize("body", ["{", "{}", "[1]", [{**EVENT, "id": ""}], [{"id": "1"}]])
def test_what_is_no_array_of_whole_events_is_refused(post: Post, body: Any) -> None:
    answer = post(body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")


def test_another_api_version_is_refused(post: Post) -> None:
    assert post([EVENT], version="2024-06-01").status_code == 400


def test_more_than_a_megabyte_is_refused(post: Post) -> None:
    assert post([{**EVENT, "data": "x" * 1_100_000}]).status_code == 413


def test_a_principal_without_the_data_action_is_refused(post: Post, lab: Any) -> None:
    lab.azure.call(lambda: setattr(lab.world, "authorize", lambda *_: False))
    assert post([EVENT]).status_code == 403
