"""Something that is started as a whole or not at all, and stopped as a whole."""

from contextlib import ExitStack
from types import TracebackType
from typing import Self


class Stacked:
    """A context manager: `begin` starts the parts on a stack; when one of them fails, those before it are stopped."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def begin(self, stack: ExitStack) -> None:
        """Start the parts, each entered on or called back by the stack."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.begin(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
