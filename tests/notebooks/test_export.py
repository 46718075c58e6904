"""`drift export`: whole or not at all, says what it is; hashed names give nothing away and join as before."""

import json
import re
import sys

import pyarrow.parquet as pq
import pytest

from cli.main import run
from core import events as schema
from core.errors import EXIT_BAD_CONTRACT, EXIT_DONE
from notebooks import exporting, history
from notebooks.pseudonyms import Pseudonyms

KEY = bytes(range(32))


@pytest.fixture(scope="module")
def plain(season, tmp_path_factory):
    out = tmp_path_factory.mktemp("export") / "events.parquet"
    exporting.export(season.path, out, None, source="season")
    return out


@pytest.fixture(scope="module")
def hashed(season, tmp_path_factory):
    out = tmp_path_factory.mktemp("export") / "hashed.parquet"
    exporting.export(season.path, out, None, hasher=lambda names: Pseudonyms(KEY, names))
    return out


def metadata(path):
    return {key.decode(): value.decode() for key, value in pq.read_metadata(path).metadata.items()}


def test_the_file_says_what_it_is(plain, events):
    found = metadata(plain)
    assert [each["name"] for each in json.loads(found["drift.schema"])] == [column.name for column in schema.COLUMNS]
    assert found["drift.tool_version"] == schema.TOOL_VERSION
    assert found["drift.rows"] == str(len(events))
    assert (found["drift.names"], found["drift.source"]) == ("plain", "season")
    assert found["drift.start"] == events["TimeGenerated"].min().to_pydatetime().replace(tzinfo=None).isoformat()


def test_what_is_exported_is_what_was_there(plain, events):
    found = history.load_events(plain)
    both = [frame.sort_values("EventId", ignore_index=True).astype("object") for frame in (found, events)]
    for name in schema.COLUMN_NAMES - {"DriftKinds", "Changes", "Details"}:
        here, there = (frame[name].where(frame[name].notna(), None).tolist() for frame in both)
        assert here == there, name
    assert history.parsed(found["Details"]).map(bool).sum() == history.parsed(events["Details"]).map(bool).sum()


def test_the_shipped_queries_run_on_an_export(plain, season):
    for name in ("event-counts", "probe-matrix", "current-state"):
        assert len(history.query(name, source=plain)) == len(history.query(name, source=season.path)) > 0


def names_in(events):
    found = set()
    for column in (
        "SubscriptionId",
        "ResourceGroup",
        "ContainerGroup",
        "Fqdn",
        "ForwardZone",
        "ReverseZone",
        "PtrName",
    ):
        found |= {str(value).lower() for value in events[column].unique()}
    for column in ("OldIp", "NewIp", "LiveIp", "Resolver", "CorrelationId", "SourceEventId", "EventId"):
        found |= {str(value).lower() for value in events[column].unique()}
    for value in events["Vantage"].unique():
        found |= set(str(value).lower().split("/")[2::2]) - {"microsoft.network"}
    return {name for name in found if len(name) > 2}


def test_no_name_is_left_anywhere(hashed, events):
    names = names_in(events)
    assert len(names) > 1000
    texts = set()
    for column in pq.read_table(hashed).columns:
        if str(column.type) == "string":
            texts |= {text for text in column.unique().to_pylist() if text}
    words = {word.lower().rstrip(".") for text in texts for word in re.findall(r"[\w.-]+", text)}
    # The pseudonym of one address may be another address of the fleet: what must not be is that it is its own.
    assert {word for word in words & names if not re.fullmatch(r"[\d.]+", word)} == set()


def test_hashed_names_join_as_before(hashed, drifts, season):
    found = history.drift_episodes(history.load_events(hashed))
    order = ["Detected", "Kinds", "WrongForSeconds"]
    mine, theirs = (frame.sort_values(order, ignore_index=True) for frame in (found, drifts))
    assert len(mine) == len(theirs)
    for name in ("Detected", "Kinds", "Cause", "DetectedBy", "IsOpen"):
        assert mine[name].tolist() == theirs[name].tolist()
    assert mine["Subject"].nunique() == theirs["Subject"].nunique()
    matrix = [history.query("probe-matrix", source=path) for path in (hashed, season.path)]
    numbers = [sorted(map(tuple, each[["Asked", "Right", "Wrong"]].astype(int).to_numpy())) for each in matrix]
    assert numbers[0] == numbers[1]


def test_an_address_stays_in_its_zone_and_with_its_pointer(hashed):
    found = history.load_events(hashed)
    rows = found[(found["LiveIp"] != "") & (found["PtrName"] != "") & (found["Component"] == "reconciler")]
    assert len(rows) > 20
    for ip, ptr, zone in set(zip(rows["LiveIp"], rows["PtrName"], rows["ReverseZone"], strict=True)):
        assert ptr == ".".join(reversed(str(ip).split("."))) + ".in-addr.arpa"
        assert str(ptr).endswith(str(zone))


@pytest.mark.parametrize(
    "text",
    [
        "api-01.corp.internal", "10.1.2.3", "fd00::12", "3.2.1.10.in-addr.arpa", "web", "a@b.example",
        "/subscriptions/0a1b2c3d-0000-4000-8000-00000000abcd/resourceGroups/rg/providers/Microsoft.X/y/web",
    ],
)  # fmt: skip
def test_a_name_is_replaced_wherever_it_stands_the_same_for_one_key_and_not_for_another(text):
    mine, again, other = (Pseudonyms(key, ["web", "rg"]) for key in (KEY, KEY, KEY[::-1]))
    sentence = f"record of {text}: failed (429), see {text}."
    assert mine.text(sentence) == again.text(sentence) != other.text(sentence)
    assert not set(re.findall(r"api-01|corp|10\.1\.2\.3|fd00|web|0a1b2c3d|example", mine.text(sentence)))
    assert mine.text(sentence).startswith("record of ")
    assert "429" in mine.text(sentence)


def test_case_does_not_tell_names_apart():
    names = Pseudonyms(KEY, ["Web"])
    assert names.label("WEB") == names.label("web") == names.text("Web")
    assert names.name("API.Corp.Internal") == names.name("api.corp.internal")


def test_networks_stay_networks():
    names = Pseudonyms(KEY)
    ten, eleven, far = (names.address(ip) for ip in ("10.1.2.3", "10.1.2.9", "10.9.2.3"))
    assert ten.rsplit(".", 1)[0] == eleven.rsplit(".", 1)[0]
    assert ten.split(".")[0] == far.split(".")[0]
    assert ten.split(".")[1] != far.split(".")[1]
    assert len({names.address(f"10.1.2.{n}") for n in range(256)}) == 256
    assert names.name("3.2.1.10.in-addr.arpa") == ".".join(reversed(ten.split("."))) + ".in-addr.arpa"


def test_a_key_that_is_too_short_is_refused():
    with pytest.raises(ValueError, match="has 3 bytes"):
        Pseudonyms(b"abc")


def test_the_command_writes_and_tells(season, tmp_path, capsys):
    out = tmp_path / "events.parquet"
    assert run(["export", "--data", str(season.path), "--last", "7d", "--out", str(out), "--json"]) == EXIT_DONE
    told = json.loads(capsys.readouterr().out)
    assert told["rows"] == len(history.load_events(season.path, "7d")) == pq.read_metadata(out).num_rows
    assert told["names"] == "plain"
    assert [path.name for path in tmp_path.iterdir()] == ["events.parquet"]


def test_two_exports_with_one_salt_file_can_be_joined(days, tmp_path, capsys):
    salt, outs = tmp_path / "salt", [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    for out in outs:
        options = ["--hash-names", "--salt-file", str(salt), "--out", str(out)]
        assert run(["export", "--data", str(days.path), *options]) == EXIT_DONE
    assert "keep it to yourself" in capsys.readouterr().out
    assert salt.stat().st_mode & 0o077 == 0 or sys.platform == "win32"
    one, two = (set(history.load_events(out)["Fqdn"].unique()) for out in outs)
    assert one == two
    assert metadata(outs[0])["drift.key_fingerprint"] == metadata(outs[1])["drift.key_fingerprint"]
    assert "drift.source" not in metadata(outs[0])
    assert run(["export", "--data", str(days.path), "--hash-names", "--out", str(outs[1])]) == EXIT_DONE
    assert not (one - {""}) & set(history.load_events(outs[1])["Fqdn"].unique())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "events.csv"], "must end in .parquet"),
        (["--out", "none/events.parquet"], "there is no folder"),
        (["--out", "events.parquet", "--salt-file", "salt"], "--salt-file is for --hash-names"),
        (["--out", "events.parquet", "--hash-names", "--salt-file", "short"], "has 3 bytes"),
        (["--out", "events.parquet", "--data", "absent.duckdb"], "there is no such file"),
    ],
)
def test_what_cannot_be_exported_is_said_and_nothing_is_written(  # noqa: PLR0917 - fixtures
    arguments, message, days, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "short").write_bytes(b"abc")
    before = {path.name for path in tmp_path.iterdir()}
    data = [] if "--data" in arguments else ["--data", str(days.path)]
    assert run(["export", *data, *arguments]) == EXIT_BAD_CONTRACT
    assert message in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == before


def test_an_export_that_breaks_leaves_what_was_there(days, tmp_path, monkeypatch):
    out = tmp_path / "events.parquet"
    out.write_bytes(b"the one from before")

    def broken(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporting, "metadata_of", broken)
    with pytest.raises(OSError, match="No space"):
        exporting.export(days.path, out, None)
    assert out.read_bytes() == b"the one from before"
    assert [path.name for path in tmp_path.iterdir()] == ["events.parquet"]


def test_an_empty_history_is_exported_too(nothing, tmp_path):
    out = tmp_path / "nothing.parquet"
    assert exporting.export(nothing, out, None).rows == 0
    assert len(history.load_events(out)) == 0
