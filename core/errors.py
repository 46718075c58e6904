"""The one error tree. A message says what failed, where, and what to do; the data stays on the error.

ToolkitError
├── InputError              an event, id or name that cannot be used            (exit 64)
├── ConfigurationError      settings or zones that a person has to repair       (exit 78)
│   └── ZoneMissingError    a configured zone does not exist
├── NameConflictError       the name belongs to another live container group    (exit 1)
├── TryAgainError           nothing is wrong with us; later it may work          (exit 75)
│   ├── NotReadyError       the container group is still changing
│   ├── DeadlineError       the time allowed is over
│   └── ContendedError      others kept changing the same record sets
└── CloudError              Azure refused or could not be reached               (exit 1 or 75)
    ├── NotFoundError · ForbiddenError · ConflictError · PreconditionFailedError
    └── ThrottledError · UnavailableError
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

EXIT_DONE = 0
EXIT_FAILURE = 1
EXIT_BAD_CONTRACT = 64
EXIT_TRY_AGAIN = 75
EXIT_BAD_CONFIGURATION = 78
"""Exit codes of the worker and the command line, after sysexits.h."""


class ToolkitError(Exception):
    """Base of every error that this toolkit raises on purpose.

    `code` is the stable short cause that events carry as ErrorCode; `exit_code` is what a process ends with.
    """

    code: str = "failure"
    exit_code: ClassVar[int] = EXIT_FAILURE
    retryable: bool = False


class InputError(ToolkitError):
    """Something given to us is not what it must be."""

    code = "bad_input"
    exit_code = EXIT_BAD_CONTRACT


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that is wrong with a configuration: where (a JSON path or a variable), and what."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class ConfigurationError(ToolkitError):
    """The configuration cannot be used; every reason is listed, not just the first."""

    code = "bad_configuration"
    exit_code = EXIT_BAD_CONFIGURATION

    def __init__(self, message: str, reasons: Sequence[Reason] = ()) -> None:
        lines = [message, *(f"  {reason}" for reason in reasons)]
        super().__init__("\n".join(lines))
        self.message = message
        self.reasons = tuple(reasons)


class ZoneMissingError(ConfigurationError):
    """A zone that the configuration names does not exist (or cannot be seen) in Azure."""

    code = "zone_missing"

    def __init__(self, zone: str, resource_group: str, subscription_id: str) -> None:
        super().__init__(
            f"private DNS zone '{zone}' was not found in resource group '{resource_group}' of subscription "
            f"'{subscription_id}': create it there, or correct the zone map"
        )
        self.zone = zone


class NameConflictError(ToolkitError):
    """A record set that we would write belongs to another container group that is alive."""

    code = "name_conflict"

    def __init__(self, name: str, owner: str, advice: str) -> None:
        super().__init__(f"'{name}' belongs to another live container group, {owner}, and was not touched: {advice}")
        self.name = name
        self.owner = owner


class TryAgainError(ToolkitError):
    """It may work later without anybody changing anything."""

    code = "try_again"
    exit_code = EXIT_TRY_AGAIN
    retryable = True


class NotReadyError(TryAgainError):
    """The container group is between two states; its address is not known yet."""

    code = "not_ready"


class DeadlineError(TryAgainError):
    """The time allowed for the work is over."""

    code = "deadline_exceeded"


class ContendedError(TryAgainError):
    """Record sets changed under us more often than we were willing to begin again."""

    code = "precondition_lost"


class CloudError(ToolkitError):
    """Azure answered with an error, or did not answer.

    `operation` is what was asked (for example "record_set.put A/web in corp.internal"), `status` the HTTP status or 0
    when there was no answer, `azure_code` the error code of Azure's body.
    """

    code = "cloud_error"

    def __init__(self, operation: str, message: str, *, status: int = 0, azure_code: str = "") -> None:
        shown = " ".join(part for part in (str(status) if status else "", azure_code) if part)
        super().__init__(f"{operation}: {f'{shown}: ' if shown else ''}{message}")
        self.operation = operation
        self.status = status
        self.azure_code = azure_code


class NotFoundError(CloudError):
    """404. `parent_missing` is true when the zone, not the record set, is what was not found."""

    code = "not_found"

    def __init__(self, operation: str, message: str, *, status: int = 404, azure_code: str = "") -> None:
        super().__init__(operation, message, status=status, azure_code=azure_code)
        self.parent_missing = azure_code in {"ParentResourceNotFound", "ResourceNotFound", "ResourceGroupNotFound"}


class ForbiddenError(CloudError):
    """401 or 403: the identity lacks a role, or the token was not accepted."""

    code = "forbidden"


class ConflictError(CloudError):
    """409: another operation on the same resource is running."""

    code = "conflict"
    exit_code = EXIT_TRY_AGAIN
    retryable = True


class PreconditionFailedError(CloudError):
    """412: the record set is not what it was when we read it."""

    code = "precondition_failed"
    exit_code = EXIT_TRY_AGAIN
    retryable = True


class ThrottledError(CloudError):
    """429: too many calls; `retry_after_seconds` is Azure's advice, or None."""

    code = "throttled"
    exit_code = EXIT_TRY_AGAIN
    retryable = True

    def __init__(
        self,
        operation: str,
        message: str,
        *,
        status: int = 429,
        azure_code: str = "",
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(operation, message, status=status, azure_code=azure_code)
        self.retry_after_seconds = retry_after_seconds


class UnavailableError(CloudError):
    """5xx, a timeout, or no connection: the call may or may not have had its effect."""

    code = "unavailable"
    exit_code = EXIT_TRY_AGAIN
    retryable = True
