"""``when`` expressions: a restricted Python expression over features, checked for types before anything runs.

There are no loops, attributes, lambdas or calls but to features. A mistake is named with line, column and the nearest
valid word. A feature that needs a missing field is unknown, and so may be what rests on it; a rule fires only where its
expression is true.
"""

import ast
import operator
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeGuard

import numpy as np

from comity import logic
from comity.core.event import KINDS, ROLES
from comity.features import library
from comity.features.columns import Column, hash_text
from comity.features.registry import FEATURES, Evaluate, Feature, Parameter, Type
from comity.syntax import WhenError, duration, nearest, parse
from comity.terms import Term, Terms, When

__all__ = ["FIELDS", "Compiler", "When", "WhenError", "duration", "nearest", "parse", "rests_on_a_score"]

SUBJECTS: Final = library.__all__  # importing them registered their features
MOST_NUMBER: Final = 1 << 53  # up to which every whole number is one in floating point too
_COMPARE: Final[dict[type[ast.cmpop], logic.Operator]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}  # fmt: skip
_ARITHMETIC: Final[dict[type[ast.operator], logic.Operator]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: np.true_divide,
}  # fmt: skip
_KEY_FIELDS = ("member", "room", "community", "name", "reply_to", "target")
FIELDS: Final[dict[str, Type]] = {
    "kind": Type.KIND, "role": Type.ROLE, **dict.fromkeys(_KEY_FIELDS, Type.KEY),
    "mentions": Type.NUMBER, "messages_before": Type.NUMBER,
}  # fmt: skip


class Compiler(Terms):
    """Compiles the expressions of one charter; clauses that ask the same share one answer for each batch."""

    def compile(self, source: str, parameters: Mapping[str, Any]) -> When:
        """Check an expression with its parameters' values. Raises WhenError."""
        return _Checker(self, parameters).when(parse(source))


class _Checker:
    """Turns a syntax tree into terms, for one clause."""

    def __init__(self, compiler: Compiler, parameters: Mapping[str, Any]) -> None:
        self._compiler, self._parameters = compiler, parameters
        self._figures: dict[str, Evaluate] = {}

    def when(self, tree: ast.expr) -> When:
        term = self._term(tree)
        self._demand(term, Type.TRUTH, tree)
        self._guard([self._term(v) for v in tree.values] if _is_and(tree) else [term])
        return When(term.signature, term.evaluate, self._figures)

    def _guard(self, parts: Sequence[Term]) -> None:
        """Where all that is not carried has to hold for the rule to fire, only there what is carried is asked for."""
        carried = self._compiler.carried
        stateless = [p for p in parts if not any(s in p.signature for s in carried)]
        guard = self._all(stateless).evaluate if stateless else None
        for signature in carried:
            inner = any(signature in other and signature != other for other in carried)
            if inner or any(signature in p.signature for p in parts):
                self._compiler.plan.ask(signature, None if inner else guard)

    def _term(self, node: ast.expr) -> Term:  # noqa: PLR0911  one case for each kind of node
        match node:
            case ast.BoolOp(op, values):
                return self._logical(op, values)
            case ast.UnaryOp(ast.Not(), operand):
                inner = self._demand(self._term(operand), Type.TRUTH, operand)
                return self._share(Type.TRUTH, f"not({inner.signature})", logic.negation(inner.evaluate))
            case ast.UnaryOp(ast.USub(), ast.Constant(value)) if _is_number(value):
                return self._number(-value, node)
            case ast.Compare(left, operators, comparators):
                return self._chain(left, operators, comparators)
            case ast.BinOp(left, op, right) if type(op) in _ARITHMETIC:
                return self._binary(left, op, right)
            case ast.Call(ast.Name(name), args, keywords):
                return self._call(node, name, args, keywords)
            case ast.Constant(value):
                return self._constant(value, node)
            case ast.List(elements) | ast.Set(elements) | ast.Tuple(elements):
                return self._words(node, elements)
            case ast.Name(name):
                return self._name(name, node)
            case _:
                raise WhenError(
                    f"{type(node).__name__} has no place in an expression", node,
                    expected="and, or, not, comparisons, + - * /, fields, parameters and calls of features",
                )  # fmt: skip

    def _logical(self, op: ast.boolop, values: Sequence[ast.expr]) -> Term:
        terms = [self._demand(self._term(v), Type.TRUTH, v) for v in values]
        if isinstance(op, ast.And):
            return self._all(terms)
        made = logic.disjunction([t.evaluate for t in terms])
        return self._share(Type.TRUTH, f"or({', '.join(t.signature for t in terms)})", made)

    def _chain(self, left: ast.expr, operators: Sequence[ast.cmpop], comparators: Sequence[ast.expr]) -> Term:
        pairs = list(zip([left, *comparators[:-1]], operators, comparators, strict=True))
        return self._all([self._compare(a, op, b) for a, op, b in pairs])

    def _all(self, terms: Sequence[Term]) -> Term:
        if len(terms) == 1:
            return terms[0]
        signature = f"and({', '.join(t.signature for t in terms)})"
        return self._share(Type.TRUTH, signature, logic.conjunction([t.evaluate for t in terms]))

    def _compare(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Term:
        a, b = self._term(left), self._term(right)
        if isinstance(op, ast.In | ast.NotIn) or {a.type, b.type} & {Type.KIND, Type.ROLE, Type.KEY}:
            return self._membership(a, op, b, right)
        if type(op) not in _COMPARE:
            raise WhenError("this comparison has no place in an expression", right, expected="< <= > >= == != in")
        if Type.DURATION in (a.type, b.type):
            a, b = self._demand(a, Type.DURATION, left), self._demand(b, Type.DURATION, right)
        else:
            a, b = self._demand(a, Type.NUMBER, left), self._demand(b, Type.NUMBER, right)
        for term, node in ((a, left), (b, right)):
            if term.value is None:
                self._show(_label(node), term.evaluate)
        signature = f"{type(op).__name__}({a.signature}, {b.signature})"
        return self._share(Type.TRUTH, signature, logic.comparison(_COMPARE[type(op)], a.evaluate, b.evaluate))

    def _show(self, label: str, figure: Evaluate) -> None:
        """Keep a figure under its label, or the label and a number where another has it; each figure once."""
        if figure not in self._figures.values():
            taken = sum(each.partition(" ")[0] == label for each in self._figures)
            self._figures[f"{label} {taken + 1}" if taken else label] = figure

    def _membership(self, a: Term, op: ast.cmpop, b: Term, node: ast.expr) -> Term:
        if b.type in (Type.KIND, Type.ROLE, Type.KEY) and isinstance(op, ast.Eq | ast.NotEq):
            a, b = (b, a) if b.type is not Type.KEY or a.type is Type.TEXT else (a, b)
        if a.type is Type.KEY and b.type is Type.KEY and isinstance(op, ast.Eq | ast.NotEq):
            same = logic.comparison(_COMPARE[type(op)], a.evaluate, b.evaluate)
            return self._share(Type.TRUTH, f"{type(op).__name__}({a.signature}, {b.signature})", same)
        if a.type not in (Type.KIND, Type.ROLE, Type.KEY):
            raise WhenError(f"{a.type} cannot be one of some", node, expected="kind, role or an identifier before it")
        wanted = [b.value] if b.type is Type.TEXT else b.value
        if b.type not in (Type.TEXT, Type.WORDS) or (b.type is Type.TEXT) != isinstance(op, ast.Eq | ast.NotEq):
            raise WhenError(f"{b.type} does not fit here", node, expected="== and a text, or in and a list of texts")
        if a.type is Type.KEY:
            made = logic.among(a.evaluate, [hash_text(w, self._compiler.plan.seed) for w in wanted], np.uint64)
        else:
            words = KINDS if a.type is Type.KIND else ROLES
            for w in wanted:
                if w not in words:
                    raise WhenError(f"{w!r} is not {a.type}", node, expected=nearest(w, words))
            made = logic.among(a.evaluate, [words.index(w) for w in wanted], np.int8)
        term = self._share(Type.TRUTH, f"among({a.signature}, {sorted(wanted)!r})", made)
        if isinstance(op, ast.NotIn | ast.NotEq):
            return self._share(Type.TRUTH, f"not({term.signature})", logic.negation(term.evaluate))
        return term

    def _binary(self, left: ast.expr, op: ast.operator, right: ast.expr) -> Term:
        a = self._demand(self._term(left), Type.NUMBER, left)
        b = self._demand(self._term(right), Type.NUMBER, right)
        signature = f"{type(op).__name__}({a.signature}, {b.signature})"
        return self._share(Type.NUMBER, signature, logic.arithmetic(_ARITHMETIC[type(op)], a.evaluate, b.evaluate))

    def _name(self, name: str, node: ast.expr) -> Term:
        if name in self._parameters:
            return self._constant(self._parameters[name], node)
        if name in FIELDS:
            return self._share(FIELDS[name], name, _field(name))
        if name in FEATURES:
            raise WhenError(f"{name} is a feature and needs parentheses", node, expected=f"{name}(...)")
        known = [*FIELDS, *self._parameters, *FEATURES]
        raise WhenError(f"there is no field, parameter or feature {name!r}", node, expected=nearest(name, known))

    def _call(  # noqa: C901  each mistake in a call has its own message
        self, call: ast.Call, name: str, args: Sequence[ast.expr], keywords: Sequence[ast.keyword]
    ) -> Term:
        feature = FEATURES.get(name)
        if feature is None:
            raise WhenError(f"there is no feature {name!r}", call, expected=nearest(name, list(FEATURES)))
        if len(args) > len(feature.positional):
            raise WhenError(f"{name} has too many values without a name", call, expected=_form(feature))
        given = dict(zip(feature.positional, args, strict=False))
        for keyword in keywords:
            if keyword.arg is None or keyword.arg not in feature.parameters:
                near = nearest(str(keyword.arg), list(feature.parameters)) if feature.parameters else "none"
                raise WhenError(f"{name} has no parameter {keyword.arg!r}", keyword.value, expected=near)
            if keyword.arg in given:
                raise WhenError(f"{keyword.arg} is given twice", keyword.value, expected="it once")
            given[keyword.arg] = keyword.value
        values: dict[str, Any] = {}
        signatures = []
        for key, parameter in feature.parameters.items():
            if key in given:
                values[key], signature = self._argument(given[key], parameter)
                signatures.append(f"{key}={signature}")
            elif parameter.default is not None:
                values[key] = parameter.default
                signatures.append(f"{key}={parameter.default!r}")
            elif not parameter.optional:
                raise WhenError(f"{name} needs {key}", call, expected=_form(feature))
        signature = f"{name}({', '.join(signatures)})"
        if (before := self._compiler.known(signature)) is not None:
            return before
        if feature.carries:
            values["signature"] = signature
        try:
            evaluate = feature.build(self._compiler.plan, **values)
        except ValueError as e:
            raise WhenError(str(e), call) from e
        return self._compiler.share(Term(feature.returns, signature, evaluate), carries=feature.carries)

    def _argument(self, node: ast.expr, parameter: Parameter) -> tuple[Any, str]:
        if parameter.type is Type.KEYS:
            parts = node.elts if isinstance(node, ast.Tuple) else [node]
            terms = [self._demand(self._term(p), Type.KEY, p) for p in parts]
            return [t.evaluate for t in terms], f"({', '.join(t.signature for t in terms)})"
        term = self._demand(self._term(node), parameter.type, node)
        if parameter.type is Type.KEY or (parameter.type is Type.TRUTH and parameter.optional):
            return term.evaluate, term.signature
        if term.value is None:
            raise WhenError("this must be fixed for the whole rule", node, expected="a constant or a parameter")
        return term.value, term.signature

    def _constant(self, value: object, node: ast.expr) -> Term:
        match value:
            case bool():
                return Term(Type.TRUTH, repr(value), _spread(value), value)
            case int() | float():
                return self._number(value, node)
            case str():
                return Term(Type.TEXT, repr(value), logic.constant(0), value)
            case list() if all(isinstance(v, str) for v in value):
                return Term(Type.WORDS, repr(value), logic.constant(0), list(value))
            case _:
                raise WhenError(f"{value!r} has no place in an expression", node, expected="a number, text or truth")

    def _number(self, value: float, node: ast.expr) -> Term:
        if not abs(value) <= MOST_NUMBER:  # which no NaN is either
            raise WhenError("this number is too large", node, expected=f"at most {MOST_NUMBER}")
        return Term(Type.NUMBER, repr(value), logic.constant(value), value)

    def _words(self, node: ast.expr, elements: Sequence[ast.expr]) -> Term:
        terms = [self._demand(self._term(e), Type.TEXT, e) for e in elements]
        return self._constant([t.value for t in terms], node)

    def _demand(self, term: Term, wanted: Type, node: ast.expr) -> Term:
        if term.type is wanted:
            return term
        if wanted is Type.DURATION and term.type is Type.TEXT:
            try:
                milliseconds = duration(term.value)
            except ValueError as e:
                raise WhenError(str(e), node) from None
            return Term(Type.DURATION, term.signature, logic.constant(milliseconds), milliseconds)
        raise WhenError(f"this is {term.type}", node, expected=str(wanted))

    def _share(self, kind: Type, signature: str, evaluate: Evaluate) -> Term:
        return self._compiler.share(Term(kind, signature, evaluate))


def rests_on_a_score(source: str) -> bool:
    """Whether an expression asks a classifier, whose word is for a person to look at. Raises WhenError as ``parse``."""
    return any(isinstance(node, ast.Name) and node.id == "score" for node in ast.walk(parse(source)))


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_and(tree: ast.expr) -> TypeGuard[ast.BoolOp]:
    return isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And)


def _field(name: str) -> Evaluate:
    match name:
        case "kind":
            return lambda batch: Column(batch.kinds)
        case "role":
            return lambda batch: batch.roles
        case "mentions":
            return lambda batch: batch.mentions
        case "messages_before":
            return lambda batch: batch.messages_before
        case _:
            return lambda batch: batch.hashes(name)


def _spread(value: bool) -> Evaluate:  # noqa: FBT001  a constant is what it is
    return lambda batch: Column(np.full(len(batch), value))


def _label(node: ast.expr) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ast.unparse(node)


def _form(feature: Feature) -> str:
    inside = ", ".join(f"{key}={p.type}" for key, p in feature.parameters.items())
    return f"{feature.name}({inside})"
