"""Features of the account: its age, and whether it is on a list of the community."""

from comity.core.globs import globs
from comity.features.columns import Batch, Column
from comity.features.memory import Memory
from comity.features.registry import Evaluate, Parameter, Plan, Type, feature


@feature(Type.DURATION)
def account_age(_plan: Plan) -> Evaluate:
    """Time from the making of the account to the event."""
    return lambda batch: batch.account_age


@feature(Type.TRUTH, first="entities", entities=Parameter(Type.WORDS))
def member_in(_plan: Plan, *, entities: list[str]) -> Evaluate:
    """Whether the member is on a list of entities; ``*`` and ``?`` stand for any characters (m.policy.rule.user)."""
    listed = globs(entities)
    verdicts = Memory()

    def evaluate(batch: Batch) -> Column:
        keys = batch.hashes("member").values
        return Column(verdicts.find(keys, lambda rows: [listed(batch.string("member", i)) for i in rows.tolist()]) == 1)

    return evaluate
