"""Features of what was said: length, letters, patterns, words, stacked marks, and a key of the text."""

import re

import numpy as np

from comity.features.columns import Batch, Column
from comity.features.keys import keys_of
from comity.features.letters import letters
from comity.features.registry import Evaluate, Parameter, Plan, Type, feature


@feature(Type.NUMBER)
def length(_plan: Plan) -> Evaluate:
    """Number of characters of the text."""
    return lambda batch: Column(letters(batch).characters, batch.text_known)


@feature(Type.NUMBER)
def uppercase(_plan: Plan) -> Evaluate:
    """Number of capital letters."""
    return lambda batch: Column(letters(batch).upper, batch.text_known)


@feature(Type.NUMBER)
def lowercase(_plan: Plan) -> Evaluate:
    """Number of small letters."""
    return lambda batch: Column(letters(batch).lower, batch.text_known)


@feature(Type.NUMBER, least=Parameter(Type.NUMBER, 10))
def capitals(_plan: Plan, *, least: int) -> Evaluate:
    """Share of letters that are capitals, 0 to 1; unknown under ``least`` letters with case."""

    def evaluate(batch: Batch) -> Column:
        counts = letters(batch)
        cased = counts.upper + counts.lower
        enough = cased >= max(least, 1)
        return Column(np.where(enough, counts.upper / np.maximum(cased, 1), 0.0), enough)

    return evaluate


@feature(Type.NUMBER)
def stacked_marks(_plan: Plan) -> Evaluate:
    """Longest run of combining marks on one letter."""
    return lambda batch: Column(letters(batch).marks, batch.text_known)


@feature(Type.NUMBER)
def mixed_words(_plan: Plan) -> Evaluate:
    """Number of words that mix alphabets whose letters pass for one another, such as Latin and Cyrillic (UTS 39)."""
    return lambda batch: Column(letters(batch).mixed, batch.text_known)


@feature(Type.TRUTH, first="pattern", pattern=Parameter(Type.TEXT), ignore_case=Parameter(Type.TRUTH, default=True))
def matches(plan: Plan, *, pattern: str, ignore_case: bool) -> Evaluate:
    """Whether a pattern (a regular expression) is found anywhere in the text."""
    return _any_of(plan, [plan.patterns.add(pattern, ignore_case=ignore_case)])


@feature(Type.NUMBER, first="patterns", patterns=Parameter(Type.WORDS), ignore_case=Parameter(Type.TRUTH, default=True))
def matching(plan: Plan, *, patterns: list[str], ignore_case: bool) -> Evaluate:
    """Number of the patterns (regular expressions) that are found in the text."""
    numbers = sorted({plan.patterns.add(p, ignore_case=ignore_case) for p in patterns})

    def evaluate(batch: Batch) -> Column:
        found = np.zeros(len(batch), np.int64)
        for number in numbers:
            found[plan.patterns.rows(batch, number)] += 1
        return Column(found, batch.text_known)

    return evaluate


@feature(Type.TRUTH, first="words", words=Parameter(Type.WORDS))
def contains(plan: Plan, *, words: list[str]) -> Evaluate:
    """Whether one of the words or phrases stands in the text, whole and in any case."""
    return _any_of(plan, [plan.patterns.add(phrase(w), ignore_case=True) for w in words])


@feature(Type.KEY)
def text_key(plan: Plan) -> Evaluate:
    """A key that is equal for texts that differ only in case, spaces and punctuation; unknown for an empty text."""

    def evaluate(batch: Batch) -> Column:
        values, some = keys_of(batch.texts, plan.seed)
        return Column(values, None if some.all() else some)

    return evaluate


def phrase(words: str) -> str:
    """A pattern for a word or phrase standing whole. Raises ValueError if there is no letter or digit in it."""
    parts = [re.escape(part) for part in words.split()]
    if not parts:
        raise ValueError("a word must not be empty")
    start = r"\b" if words.strip()[0].isalnum() else ""
    end = r"\b" if words.strip()[-1].isalnum() else ""
    return start + r"\s+".join(parts) + end


def _any_of(plan: Plan, numbers: list[int]) -> Evaluate:
    def evaluate(batch: Batch) -> Column:
        found = np.zeros(len(batch), np.bool_)
        for number in numbers:
            found[plan.patterns.rows(batch, number)] = True
        return Column(found, batch.text_known)

    return evaluate
