"""Drives Microsoft's worker library as the Functions host does: init, metadata, load, invoke, in protobuf messages.

Runs on Python 3.13 in .venv-functions. Takes one JSON object on stdin, {"app": folder, "invocations": [{"function",
"event", "argument", "retry", "encoding"}]}, and gives one on stdout; the app's log goes to stderr.
`azure_functions_runtime` 1.3.0 wants an object with `.request` and `.properties`; `afprotos` are the host's compiled
messages.
"""

import asyncio
import json
import logging
import sys
import uuid
from types import SimpleNamespace
from typing import Any

import afprotos as protos
import azure_functions_runtime as runtime


def message(**content: Any) -> Any:
    return protos.StreamingMessage(request_id=str(uuid.uuid4()), **content)


def request(content: Any, **properties: Any) -> Any:
    return SimpleNamespace(request=content, properties=properties)


async def initialise(app: str) -> dict[str, Any]:
    content = protos.WorkerInitRequest(host_version="4.1040.0", function_app_directory=app)
    answer = await runtime.worker_init_request(
        request(message(worker_init_request=content), host="127.0.0.1", protos=protos)
    )
    return outcome(answer.result)


async def load(app: str) -> dict[str, dict[str, Any]]:
    content = protos.FunctionsMetadataRequest(function_app_directory=app)
    answer = await runtime.functions_metadata_request(request(message(functions_metadata_request=content)))
    functions = {}
    for found in answer.function_metadata_results:
        asked = protos.FunctionLoadRequest(function_id=found.function_id, metadata=found)
        loaded = await runtime.function_load_request(request(message(function_load_request=asked)))
        functions[found.name] = {
            "id": found.function_id,
            "bindings": [json.loads(binding) for binding in found.raw_bindings],
            "retries": found.retry_options.max_retry_count,
            **outcome(loaded.result),
        }
    return functions


async def invoke(function_id: str, given: dict[str, Any]) -> dict[str, Any]:
    data = protos.TypedData(**{given.get("encoding", "json"): json.dumps(given["event"])})
    asked = protos.InvocationRequest(
        invocation_id=str(uuid.uuid4()),
        function_id=function_id,
        input_data=[protos.ParameterBinding(name=given.get("argument", "event"), data=data)],
        trigger_metadata={"data": data},
    )
    if "retry" in given:
        asked.retry_context.retry_count = given["retry"]
    answer = await runtime.invocation_request(request(message(invocation_request=asked)))
    return {"invocation_id": asked.invocation_id, **outcome(answer.result)}


def outcome(result: Any) -> dict[str, Any]:
    status = protos.StatusResult.Status.Name(result.status)
    return {"status": status, "message": result.exception.message, "trace": result.exception.stack_trace}


async def main() -> None:
    given = json.load(sys.stdin)
    sys.path.append(given["app"])  # last, as the real worker has it
    runtime.start_threadpool_executor()
    found: dict[str, Any] = {"init": await initialise(given["app"]), "functions": {}, "invocations": []}
    if found["init"]["status"] == "Success":
        found["functions"] = await load(given["app"])
        for one in given["invocations"]:
            found["invocations"].append(await invoke(found["functions"][one["function"]]["id"], one))
    print(json.dumps(found))  # noqa: T201 - this is its answer


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s %(levelname)s %(message)s")
    asyncio.run(main())
