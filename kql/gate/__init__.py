"""Checks of KQL before it is deployed: Microsoft's own parser against our tables, and the rules of the corpus."""

from kql.gate.parser import (
    Diagnosis,
    Diagnostic,
    Parser,
    ParserFailedError,
    ParserMissingError,
    Schema,
    Text,
    Use,
    shipped_schema,
)

__all__ = [
    "Diagnosis",
    "Diagnostic",
    "Parser",
    "ParserFailedError",
    "ParserMissingError",
    "Schema",
    "Text",
    "Use",
    "shipped_schema",
]
