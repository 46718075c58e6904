import pytest

from core.audit_settings import AuditSettings, Repair
from core.environment import EnvironmentReader
from core.events import Component


def read(**environment):
    reader = EnvironmentReader(environment)
    return AuditSettings.read(reader), [str(reason) for reason in reader.reasons]


def test_nothing_is_needed_and_nothing_is_published_by_default():
    assert read() == (AuditSettings(), [])
    assert AuditSettings().repair is Repair.OFF


def test_everything_that_is_given_is_taken():
    topic = "https://repairs.westeurope-1.eventgrid.azure.net/api/events"
    settings, reasons = read(
        AUDIT_SUBSCRIPTION_ID="s-1", AUDIT_DEADLINE_SECONDS="60", REPAIR="Publish", REPAIR_TOPIC_ENDPOINT=topic,
        REPAIR_MAX_PER_RUN="7", CANARY_COMPONENT="tracker",
    )  # fmt: skip
    assert (settings, reasons) == (AuditSettings("s-1", 60.0, Repair.PUBLISH, topic, 7, Component.TRACKER), [])


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"REPAIR": "publish"}, "REPAIR_TOPIC_ENDPOINT"),
        ({"REPAIR": "yes"}, "REPAIR"),
        ({"REPAIR_TOPIC_ENDPOINT": "http://plain"}, "REPAIR_TOPIC_ENDPOINT"),
        ({"REPAIR_MAX_PER_RUN": "0"}, "REPAIR_MAX_PER_RUN"),
        ({"AUDIT_SUBSCRIPTION_ID": "a/b"}, "AUDIT_SUBSCRIPTION_ID"),
        ({"AUDIT_DEADLINE_SECONDS": "3600"}, "AUDIT_DEADLINE_SECONDS"),
        ({"CANARY_COMPONENT": "bird"}, "CANARY_COMPONENT"),
    ],
)
def test_what_cannot_be_used_is_named(environment, name):
    _, reasons = read(**environment)
    assert [reason.partition(":")[0] for reason in reasons] == [name]
