import pytest

from core import errors
from core.errors import ConfigurationError, NotFoundError, Reason, ToolkitError, ZoneMissingError


def subclasses(kind):
    for child in kind.__subclasses__():
        yield child
        yield from subclasses(child)


OURS = sorted(
    (kind for kind in subclasses(ToolkitError) if kind.__module__ == errors.__name__), key=lambda k: k.__name__
)


@pytest.mark.parametrize("kind", OURS)
def test_every_error_has_a_stable_code_and_a_known_exit_code(kind):
    assert kind.code
    assert kind.code == kind.code.lower()
    assert kind.exit_code in {1, 64, 75, 78}
    assert kind.retryable == (kind.exit_code == 75)


def test_codes_tell_errors_apart():
    codes = [kind.code for kind in OURS]
    assert len(set(codes)) == len(codes)


def test_a_configuration_error_lists_all_its_reasons():
    error = ConfigurationError("cannot be used:", [Reason("$.a", "is missing"), Reason("$.b", "is empty")])
    assert str(error) == "cannot be used:\n  $.a: is missing\n  $.b: is empty"
    assert len(error.reasons) == 2


def test_a_missing_zone_says_where_and_what_to_do():
    assert str(ZoneMissingError("corp.internal", "rg-dns", "sub")) == (
        "private DNS zone 'corp.internal' was not found in resource group 'rg-dns' of subscription 'sub': "
        "create it there, or correct the zone map"
    )


@pytest.mark.parametrize(
    ("code", "parent"), [("NotFound", False), ("ParentResourceNotFound", True), ("ResourceNotFound", True), ("", False)]
)
def test_a_404_says_whether_it_was_the_parent(code, parent):
    assert NotFoundError("get", "m", azure_code=code).parent_missing is parent
