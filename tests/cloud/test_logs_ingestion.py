"""Uploads through Microsoft's own client; the service here counts what it really took."""

import gzip
import json

import pytest
from azure.core.exceptions import ClientAuthenticationError

from cloud.arm_pipeline import Patience
from cloud.batches import MAX_UPLOAD_BYTES
from cloud.credentials import FixedTokenCredential
from cloud.logs_ingestion import LogsIngestion
from core.errors import ConfigurationError, ForbiddenError, InputError, ThrottledError, UnavailableError
from core.settings import LogsSettings


def rows_of(seen):
    assert seen.headers["Content-Encoding"] == "gzip"
    raw = gzip.decompress(seen.body)
    assert len(raw) < MAX_UPLOAD_BYTES
    return json.loads(raw)


def ingestion(scripted, *, budget_seconds=20.0, **patience):
    slept = []
    door = LogsIngestion(
        FixedTokenCredential("t", 4102444800),
        LogsSettings(scripted.url, "dcr-1"),
        ca_bundle=scripted.ca,
        budget_seconds=budget_seconds,
        patience=Patience(**{"attempts": 2, "sleep": slept.append, **patience}),
    )
    return door, slept


def rows(count, size=10):
    return [{"EventId": str(number), "ErrorMessage": "x" * size} for number in range(count)]


def test_rows_are_sent_as_one_gzipped_array_to_the_rules_stream(scripted):
    scripted.reply(204)
    result = ingestion(scripted)[0].upload(rows(3))
    assert (result.accepted, result.refused) == (3, ())
    assert scripted.seen[0].path == "/dataCollectionRules/dcr-1/streams/Custom-AciDnsEvents?api-version=2023-01-01"
    assert rows_of(scripted.seen[0]) == rows(3)


def test_many_rows_arrive_completely_in_calls_below_the_limit(scripted):
    scripted.reply(204)
    sent = rows(70, size=50_000)
    assert ingestion(scripted)[0].upload(sent).accepted == 70
    assert [row for seen in scripted.seen for row in rows_of(seen)] == sent
    assert len(scripted.seen) == 5


def test_a_row_over_the_limit_is_cut_with_a_mark_and_a_warning(scripted, caplog):
    scripted.reply(204)
    assert ingestion(scripted)[0].upload([{"EventId": "1", "ErrorMessage": "x" * 3_000_000}]).accepted == 1
    assert rows_of(scripted.seen[0])[0]["ErrorMessage"].endswith("…[3000000 bytes, truncated]")
    assert "event 1: truncated ErrorMessage" in caplog.messages


def test_no_rows_are_no_call(scripted):
    assert ingestion(scripted)[0].upload([]).accepted == 0
    assert scripted.seen == []


def test_what_is_refused_comes_back_as_it_was_given_and_the_rest_is_sent(scripted):
    scripted.reply(204)
    scripted.reply(403, {"error": {"code": "OperationFailed", "message": "no role"}})
    scripted.reply(204)
    sent = rows(40, size=50_000)
    result = ingestion(scripted)[0].upload(sent)
    (refused,) = result.refused
    assert type(refused.error) is ForbiddenError
    assert result.accepted + len(refused.rows) == 40
    assert list(refused.rows) == sent[17 : 17 + len(refused.rows)]


def test_a_call_that_is_too_large_for_the_service_is_halved(scripted):
    scripted.reply(204)
    scripted.reply(413, {"error": {"code": "ContentLengthLimitExceeded", "message": "m"}})
    accepted, too_large = scripted.answers
    scripted.answers.clear()
    scripted.decide(lambda seen: accepted if len(rows_of(seen)) <= 2 else too_large)
    result = ingestion(scripted)[0].upload(rows(7))
    assert (result.accepted, result.refused) == (7, ())


def test_a_single_row_that_is_too_large_for_the_service_comes_back(scripted):
    scripted.reply(413, {"error": {"code": "ContentLengthLimitExceeded", "message": "m"}})
    result = ingestion(scripted)[0].upload(rows(4))
    assert result.accepted == 0
    assert [row["EventId"] for refused in result.refused for row in refused.rows] == ["0", "1", "2", "3"]


def test_throttling_is_waited_for_as_advised(scripted):
    scripted.reply(429, None, Retry_After="3")
    scripted.reply(204)
    door, slept = ingestion(scripted)
    assert door.upload(rows(1)).accepted == 1
    assert slept == [3.0]


def test_advice_longer_than_the_budget_is_not_waited_for(scripted):
    scripted.reply(429, None, Retry_After="60")
    door, slept = ingestion(scripted, budget_seconds=5)
    (refused,) = door.upload(rows(1)).refused
    assert isinstance(refused.error, ThrottledError)
    assert (refused.error.retry_after_seconds, slept) == (60, [])


def test_an_outage_costs_no_more_than_the_budget_and_hands_everything_back(scripted):
    scripted.reply(fault="reset")
    result = ingestion(scripted, budget_seconds=0.5, attempts=3)[0].upload(rows(40, size=50_000))
    assert sum(len(refused.rows) for refused in result.refused) == 40
    assert {type(refused.error) for refused in result.refused} == {UnavailableError}


def test_an_identity_without_a_token_hands_everything_back(scripted):
    class Nobody(FixedTokenCredential):
        def get_token(self, *scopes, **kwargs):
            raise ClientAuthenticationError("no identity")

    door = LogsIngestion(Nobody("", 0), LogsSettings(scripted.url, "dcr-1"), ca_bundle=scripted.ca)
    (refused,) = door.upload(rows(2)).refused
    assert (len(refused.rows), type(refused.error)) == (2, ForbiddenError)


def test_a_row_that_is_not_json_comes_back_and_the_others_are_sent(scripted):
    scripted.reply(204)
    loop = {}
    loop["self"] = loop
    (refused,) = ingestion(scripted)[0].upload([loop, *rows(1)]).refused
    assert (refused.rows, type(refused.error)) == ((loop,), InputError)
    assert len(scripted.seen) == 1


def test_it_cannot_be_made_without_an_endpoint():
    with pytest.raises(ConfigurationError):
        LogsIngestion(FixedTokenCredential("t", 1), LogsSettings())
