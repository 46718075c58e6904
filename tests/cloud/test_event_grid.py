"""Publishing to a custom topic: what is sent, with which token, and what a refusal is."""

import json

import pytest

from cloud.arm_pipeline import Patience
from cloud.credentials import FixedTokenCredential
from cloud.event_grid import EventGridTopic
from core.errors import ForbiddenError, ThrottledError, UnavailableError


def topic(scripted, slept=None):
    wait = (slept if slept is not None else []).append
    endpoint = f"{scripted.url}/api/events"
    patience = Patience(attempts=3, sleep=wait)
    return EventGridTopic(FixedTokenCredential("t", 4102444800), endpoint, ca_bundle=scripted.ca, patience=patience)


def test_events_are_one_array_with_the_identitys_token(scripted):
    scripted.reply(200)
    topic(scripted).publish([{"id": "1"}, {"id": "2"}])
    (seen,) = scripted.seen
    assert (seen.method, seen.path) == ("POST", "/api/events?api-version=2018-01-01")
    assert seen.headers["Authorization"] == "Bearer t"
    assert json.loads(seen.body) == [{"id": "1"}, {"id": "2"}]


def test_many_events_are_sent_in_requests_of_a_hundred(scripted):
    scripted.reply(200)
    topic(scripted).publish([{"id": str(number)} for number in range(201)])
    assert [len(json.loads(seen.body)) for seen in scripted.seen] == [100, 100, 1]


def test_nothing_to_publish_opens_nothing(scripted):
    topic(scripted).publish([])
    assert scripted.seen == []


@pytest.mark.parametrize(
    ("status", "error", "tries"),
    [(401, ForbiddenError, 1), (403, ForbiddenError, 1), (429, ThrottledError, 3), (503, UnavailableError, 3)],
)
def test_a_refusal_is_raised_and_only_what_may_get_well_is_repeated(scripted, status, error, tries):
    scripted.reply(status, {"error": {"code": "Refused", "message": "m"}})
    slept = []
    with pytest.raises(error, match=r"event_grid\.publish of 1 events: .*Refused"):
        topic(scripted, slept).publish([{"id": "1"}])
    assert (len(scripted.seen), len(slept)) == (tries, tries - 1)
