"""Each lint finds its defect in a bad sample, and says it in these words; a good sample has none."""

import re

import pytest

from alerts import facts, lint, parse
from alerts.cases import Coverage
from alerts.findings import Level
from alerts.lint import Facts

RUNBOOK = "# sample\n\n" + "".join(f"## {heading}\n\nText.\n\n" for heading in lint.HEADINGS)
ALL = frozenset(Coverage)
LATEST = "|\n  AciDnsEvents()\n  | summarize arg_max(EventTime, Component) by ContainerGroup"
SILENT = (
    "|\n  datatable(Component:string)['probe']\n"
    "  | join kind=leftouter (AciDnsEvents() | summarize Rows = count() by Component) on Component\n"
    "  | extend Rows = coalesce(Rows, 0) | project Component, Rows"
)


@pytest.fixture
def check(rule_yaml):
    """Give `check(runbook=..., covered=..., **settings)`: what lint says about a sample with these settings."""

    def call(*, runbook=RUNBOOK, covered=ALL, **settings):
        rule = parse.rule(rule_yaml(**settings), "sample.yaml")
        known = Facts(facts.answers([rule], None), {rule.name: runbook}, {rule.name: covered} if covered else {})
        return [str(finding) for finding in lint.lint([rule], known)]

    return call


def test_a_good_rule_has_no_finding(check):
    assert check() == []


FREQUENCIES = "PT1M, PT5M, PT10M, PT15M, PT30M, PT45M, PT1H, PT2H, PT3H, PT4H, PT5H, PT6H, P1D"
RANGES = "PT5M, PT10M, PT15M, PT20M, PT30M, PT45M, PT1H, PT2H, PT3H, PT4H, PT5H, PT6H, P1D, P2D"
SETTINGS = [
    ({"name": "Sample"}, "error: rule/name: use lower-case letters, digits and single hyphens, at most 100"),
    ({"name": "other"}, "error: rule/name: the file must have the rule's name: other.yaml"),
    ({"owner": "TBD"}, "error: rule/owner: 'TBD' is nobody: name the team that answers"),
    ({"description": "x" * 4097}, "error: rule/description: 4,097 characters; Azure takes 4,096"),
    ({"severity": "3"}, "warning: rule/severity: severity 3 does not wake anybody: use ticket"),
    ({"actionGroup": "ticket"}, "warning: rule/severity: severity 1 cannot wait for a ticket: use page"),
    (
        {"windowSize": "PT7M"},
        f"error: time/value: Azure does not take PT7M, but {FREQUENCIES}, P2D",
    ),
    (
        {"evaluationFrequency": "PT3M"},
        f"error: time/value: Azure does not take PT3M, but {FREQUENCIES}",
    ),
    ({"overrideQueryTimeRange": "PT7H"}, f"error: time/value: Azure does not take PT7H, but {RANGES}"),
    (
        {"evaluationFrequency": "PT1M", "windowSize": "P1D", "kql": "AciDnsEvents_CL"},
        "error: time/value: a rule that is evaluated each minute has bins of at most PT6H, not P1D",
    ),
    (
        {"failingPeriods": "{numberOfEvaluationPeriods: 7}"},
        "error: time/periods: at most 6 evaluation periods, not 7",
    ),
    (
        {"windowSize": "P1D", "failingPeriods": "{numberOfEvaluationPeriods: 3}"},
        "error: time/range: windowSize times the evaluation periods is P3D; Azure looks back 48 hours at most",
    ),
    (
        {"windowSize": "PT1H", "overrideQueryTimeRange": "PT30M"},
        "error: time/range: PT30M is less than windowSize times the evaluation periods, PT1H",
    ),
    (
        {"evaluationFrequency": "PT15M", "ruleResolveConfiguration": "{timeToResolve: PT30M}"},
        "error: time/frequency: looks at PT5M every PT15M: rows in between are never seen",
    ),
    (
        {"evaluationFrequency": "P1D", "windowSize": "P1D"},
        (
            "error: state/frequency: a stateful rule is evaluated every 12 hours at least, not P1D: set autoMitigate: "
            "false"
        ),
    ),
    (
        {"muteActionsDuration": "PT1H"},
        "error: state/mute: a stateful rule cannot be muted, it fires once: set autoMitigate: false, or leave it out",
    ),
    (
        {"muteActionsDuration": "PT5M", "autoMitigate": "false", "evaluationFrequency": "PT10M", "windowSize": "PT10M"},
        "error: state/mute: PT5M is over before the next evaluation, after PT10M",
    ),
    (
        {"ruleResolveConfiguration": "{timeToResolve: PT1H}", "autoMitigate": "false"},
        "error: state/resolve: a stateless rule has nothing to resolve: leave it out, or set autoMitigate: true",
    ),
    (
        {"ruleResolveConfiguration": "{timeToResolve: PT1M}"},
        "error: state/resolve: timeToResolve PT1M is shorter than one evaluation, PT5M",
    ),
    (
        {"evaluationFrequency": "PT15M", "windowSize": "PT15M"},
        (
            "note: state/boundary: Azure's documentation gives 2 and 3 periods at 15 minutes; we take 3. "
            "timeToResolve would "
            "say which"
        ),
    ),
    (
        {
            "dimensions": "[{name: Fqdn}, {name: Rcode}, {name: Verdict}, {name: Vantage}, {name: OldIp}, {name: "
            "NewIp}, "
            "{name: LiveIp}]"
        },
        "error: dimensions/count: at most 6 dimensions, not 7",
    ),
    ({"dimensions": "[{name: Fqdn}, {name: Fqdn}]"}, "error: dimensions/twice: Fqdn is split by twice"),
    (
        {"dimensions": "[{name: ContainerGroupId}]", "resourceIdColumn": "ContainerGroupId"},
        "error: dimensions/twice: ContainerGroupId is resourceIdColumn already: its values split the result",
    ),
    *(
        (
            {"operator": operator, "threshold": threshold},
            (
                f"error: condition/never: Count {operator} {threshold} is never true: a series without rows is not "
                "evaluated, "
                "and one with rows counts 1 or more; to notice silence, let the query make the rows"
            ),
        )
        for operator, threshold in (("LessThan", 1), ("LessThanOrEqual", 0), ("Equals", 0), ("Equals", 1.5))
    ),
    *(
        (
            {"operator": operator, "threshold": threshold},
            f"warning: condition/always: Count {operator} {threshold} is true for every series: write GreaterThan 0",
        )
        for operator, threshold in (("GreaterThan", -1), ("GreaterThanOrEqual", 0))
    ),
]
QUERIES = [
    ({"parameters": "{a: 1}"}, "error: query/parameters: only a query of kql/queries has parameters"),
    (
        {"kql": None, "query": "opendrifts"},
        "error: query/unknown: no query 'opendrifts' in kql/queries; did you mean 'open-drifts'?",
    ),
    (
        {"kql": None, "query": "open-drifts", "parameters": "{nonsense: 1}"},
        "error: query/unknown: query open-drifts: no parameter",
    ),
    ({"kql": "AciDnsEvents() | were true"}, "error: query/invalid: "),
    ({"kql": "Nowhere"}, "error: query/invalid: "),
    *(
        (
            {"kql": f"AciDnsEvents() | evaluate {name}(Details)"},
            f"error: query/operator: Azure does not take {name}() in an alert's query",
        )
        for name in ("bag_unpack", "pivot", "narrow")
    ),
    ({"kql": "search 'x'"}, "error: query/operator: Azure does not take search in an alert's query"),
    (
        {"kql": "AciDnsEvents() | extend AggregatedValue = 1"},
        "error: query/reserved: AggregatedValue is a word that Azure keeps for itself: rename it",
    ),
    (
        {"kql": "union AciDnsEvents_CL, AciDnsEvents_CL"},
        (
            "warning: query/union: Azure's documentation says in one place that an alert's query must not use union: "
            "call a "
            "function"
        ),
    ),
    (
        {"kql": "AciDnsEvents_CL | take 5"},
        "warning: query/take: take takes other rows each time: use top, or leave it out",
    ),
    *(
        (
            {"evaluationFrequency": "PT1M", "kql": text},
            (
                f"error: query/one-minute: a rule that is evaluated each minute must not use {name}: look every five "
                "minutes"
            ),
        )
        for name, text in (
            ("search", "search 'x'"),
            ("union", "union AciDnsEvents_CL, AciDnsEvents_CL"),
            ("take", "AciDnsEvents_CL | take 5"),
            ("limit", "AciDnsEvents_CL | limit 5"),
            ("ingestion_time()", "AciDnsEvents_CL | where ingestion_time() > ago(1m)"),
        )
    ),
    (
        {"evaluationFrequency": "PT1M"},
        (
            "error: query/one-minute: a rule that is evaluated each minute must not call functions that read tables "
            "(AciDnsEvents): look every five minutes"
        ),
    ),
    (
        {"kql": "'let back = 1h; AciDnsEvents() | where EventTime > ago(back)'"},
        "error: query/ago: ago(back): in an alert's query Azure takes ago() with a literal only, for example ago(1h)",
    ),
    (
        {"kql": "AciDnsEvents() | where EventTime > ago(7d)"},
        "warning: query/ago: ago(7d) looks back no further than 48 hours in an alert",
    ),
    *(
        (
            {"kql": f"AciDnsEvents() | {last}"},
            (
                "error: query/count-of-count: the query counts already, and Count would count its one row: let it "
                "answer with "
                "the rows themselves"
            ),
        )
        for last in ("count", "summarize Rows = count()", "summarize count(), max(LagMs);")
    ),
    (
        {"dimensions": "[{name: Zone}]"},
        "error: columns/missing: the result has no column 'Zone'; it has TimeGenerated, ",
    ),
    (
        {"dimensions": "[{name: Details}]"},
        "error: columns/type: column 'Details' is dynamic, and must be decimal or int or long or real or string",
    ),
    (
        {"timeAggregation": "Maximum", "metricMeasureColumn": "Fqdn"},
        "error: columns/type: column 'Fqdn' is string, and must be decimal or int or long or real",
    ),
    ({"resourceIdColumn": "Attempt"}, "error: columns/type: column 'Attempt' is int, and must be string"),
    (
        {"kql": LATEST, "failingPeriods": "{numberOfEvaluationPeriods: 2}"},
        "error: columns/time: several evaluation periods need a column TimeGenerated of type datetime in the result",
    ),
    (
        {"overrideQueryTimeRange": "PT6H"},
        (
            "warning: columns/time: the query looks back 6h, but its rows have TimeGenerated: only those of the last "
            "5m count; "
            "leave TimeGenerated out, or look back less"
        ),
    ),
    (
        {"firesOnSilence": "true"},
        (
            "error: silence/never: does not fire when nothing arrives at all: the query gives 0 rows then; let it "
            "make a row "
            "for each thing expected (datatable, join kind=leftouter)"
        ),
    ),
    (
        {"kql": SILENT, "firesOnSilence": "true", "timeAggregation": "Minimum", "metricMeasureColumn": "Rows"},
        (
            "error: silence/never: does not fire when nothing arrives at all: the query gives 1 row then, none of "
            "which is in "
            "the last bin or violates the threshold; let it make a row for each thing expected (datatable, join "
            "kind=leftouter)"
        ),
    ),
    (
        {"kql": SILENT},
        "warning: silence/undeclared: fires when no table has any row: if that is meant, say firesOnSilence: true",
    ),
    (
        {"kql": f"{SILENT} | extend TimeGenerated = now()", "firesOnSilence": "true", "windowSize": "PT10M"},
        "warning: silence/time: leave TimeGenerated out of the result: a row made for silence has no time of its own",
    ),
]


def named(cases):
    """Name each case by its code, so that a failure says which lint it is."""
    return [f"{re.search(r'[a-z-]+/[a-z-]+', message)[0]}-{number}" for number, (_, message) in enumerate(cases)]


@pytest.mark.parametrize(("settings", "message"), SETTINGS, ids=named(SETTINGS))
def test_a_defect_of_the_settings_is_found(check, settings, message):
    found = [line.split(": ", 1)[1] for line in check(**settings)]
    assert message in found


@pytest.mark.parametrize(("settings", "message"), QUERIES, ids=named(QUERIES))
def test_a_defect_of_the_query_is_found(check, settings, message):
    found = [line.split(": ", 1)[1] for line in check(**settings)]
    assert [line for line in found if line.startswith(message)], found


def test_a_rule_that_fires_on_silence_and_says_so_is_good(check):
    settings = {"timeAggregation": "Minimum", "metricMeasureColumn": "Rows", "operator": "LessThan", "threshold": 1}
    assert check(kql=SILENT, firesOnSilence="true", dimensions="[{name: Component}]", **settings) == []


def test_a_finding_has_the_line_of_its_setting(check):
    (finding,) = check(owner="nobody")
    assert finding.startswith("sample.yaml:15: error: rule/owner: ")


def test_a_string_or_a_comment_is_no_operator(check):
    assert (
        check(kql="|\n  AciDnsEvents() // | take 5\n  | where Fqdn != '| take 5 | search AggregatedValue ago(x)'") == []
    )


def test_functions_that_ask_for_the_time_are_noted(check):
    found = check(kql="AciDnsHeartbeats() | project Component")
    assert any("note: query/relative-time: AciDnsHeartbeats" in line for line in found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "runbook/missing: there is no docs/runbooks/sample.md"),
        (
            RUNBOOK.replace("## What to run", "## Commands"),
            "runbook/heading: docs/runbooks/sample.md lacks '## What to run'",
        ),
        (
            RUNBOOK.replace("## What to run\n\nText.", "## What to run\n"),
            "runbook/heading: docs/runbooks/sample.md: '## What to run' is empty",
        ),
    ],
)
def test_a_runbook_must_be_there_and_whole(check, text, message):
    assert check(runbook=text) == [f"sample.yaml:7: error: {message}"]


@pytest.mark.parametrize(
    ("covered", "settings", "message"),
    [
        (None, {}, "tests/missing: no file of alerts/tests tests sample"),
        (
            ALL - {Coverage.LATE, Coverage.RESOLVES},
            {},
            "tests/coverage: no unit test covers resolves, late (covers: [...] of a test says what it shows)",
        ),
        (
            ALL - {Coverage.LATE, Coverage.RESOLVES},
            {"autoMitigate": "false"},
            "tests/coverage: no unit test covers late (covers: [...] of a test says what it shows)",
        ),
    ],
)
def test_every_kind_of_unit_test_must_be_there(check, covered, settings, message):
    assert check(covered=covered, **settings) == [f"sample.yaml:1: error: {message}"]


def several(rule_yaml, *names, **settings):
    rules = [parse.rule(rule_yaml(name=name, **settings), f"{name}.yaml") for name in names]
    known = {rule.name: RUNBOOK for rule in rules}
    return rules, Facts(facts.answers(rules[:1], None), known, {rule.name: ALL for rule in rules})


def shared_answers(rules, known):
    return Facts({rule.name: known.answers[rules[0].name] for rule in rules}, known.runbooks, known.covered)


def test_two_rules_that_ask_the_same_are_found(rule_yaml):
    rules, known = several(rule_yaml, "first", "second")
    found = lint.lint(rules, shared_answers(rules, known))
    text = "rule/duplicate: asks the same, in the same way, as first (first.yaml:1): both would fire"
    assert [str(finding) for finding in found] == [f"second.yaml:15: error: {text}"]


def test_the_101st_rule_of_a_minute_is_too_many(rule_yaml):
    rules, known = several(rule_yaml, *(f"rule-{number:03}" for number in range(101)), evaluationFrequency="PT1M")
    found = [one for one in lint.lint(rules, shared_answers(rules, known)) if one.code == "rule/limit"]
    assert [(one.rule, one.level) for one in found] == [("rule-100", Level.ERROR)]


def test_properties_of_more_than_64_kb_are_too_large(check):
    text = "x" * 65_536
    (finding,) = check(kql=f'|\n  AciDnsEvents()\n  | where Fqdn != "{text}"')
    assert "error: rule/size: its properties are 66," in finding
