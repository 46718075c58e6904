"""System topics: a source's own topic, made by hand; event subscriptions hang on it."""

from local_azure.arm.call import ArmError, Call, Reply
from local_azure.eventgrid.arm_common import begin_operation, check_name, find_topic, grid_of, page, topic_id
from local_azure.eventgrid.model import SystemTopic


def put_topic(call: Call) -> Reply:
    """Create or replace a system topic; done at once."""
    body, properties = call.json_object(), call.section("properties")
    source, topic_type = properties.get("source"), properties.get("topicType")
    if not isinstance(source, str) or not source or not isinstance(topic_type, str) or not topic_type:
        raise ArmError(400, "InvalidRequest", "properties.source and properties.topicType are needed.")
    check_name(call.path.name)
    grid = grid_of(call)
    topic = SystemTopic(
        topic_id(call),
        call.path.name,
        str(body.get("location") or "global"),
        source,
        topic_type,
        grid.new_id(),
        body.get("tags"),
    )
    grid.topics[topic.id.lower()] = topic
    return Reply(200, topic.shown())


def patch_topic(call: Call) -> Reply:
    """Change a system topic's tags."""
    topic = find_topic(call)
    topic.tags = call.json_object().get("tags", topic.tags)
    return Reply(200, topic.shown())


def get_topic(call: Call) -> Reply:
    """Give one system topic."""
    return Reply(200, find_topic(call).shown())


def list_topics(call: Call) -> Reply:
    """List a resource group's or a subscription's system topics."""
    prefix = f"{call.path.scope}/".lower()
    found = [topic for key, topic in grid_of(call).topics.items() if key.startswith(prefix)]
    return Reply(200, {"value": [topic.shown() for topic in page(call, found)]})


def delete_topic(call: Call) -> Reply:
    """Delete a system topic and its subscriptions."""
    grid = grid_of(call)
    topic = grid.topics.pop(topic_id(call).lower(), None)
    if topic is None:
        return Reply(204, emits=False)
    for key in [key for key in grid.subscriptions if key.startswith(f"{topic.id.lower()}/")]:
        grid.subscriptions.pop(key).state = "Deleting"
    return Reply(202, None, begin_operation(call, grid, "Succeeded", location=topic.location, results=True))
