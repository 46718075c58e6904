"""The probe's benchmark on few pairs: it measures what it says, with BIND, and with the local Azure in its stead."""

import pytest

from bench import probe


def _measure(capsys):
    assert probe.main(["--pairs", "60", "--runs", "1", "--sequential", "6", "--delay", "10"]) == 0
    return capsys.readouterr().out


@pytest.mark.tools
def test_it_compares_with_asking_in_sequence_on_bind(require_tool, capsys):
    require_tool("named", "install bind9")
    out = _measure(capsys)
    assert out.startswith("BIND, ")
    assert out.count("times as long") == 3
    assert "0 messages repeated" in out


def test_without_bind_it_says_what_stands_in_for_it(monkeypatch, capsys):
    monkeypatch.setattr(probe, "find_program", lambda _: None)
    assert _measure(capsys).startswith("the local Azure's resolver (named is not installed)")
