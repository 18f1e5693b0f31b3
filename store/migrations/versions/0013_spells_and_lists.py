"""When the failures of an incident came at a rate that opens it, what is to be taken off a list by an index, and which
resends a person let go."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# How the notes begin that a person's consent left, until something held the resend back.
_CONSENTS = ("accepted by ", "made due by ", "posted once more under the same id: ")
_MAY_LEAVE = ("planned", "claimed", "waiting", "sending", "unknown")


def upgrade() -> None:
    """Bring the tables to this release."""
    op.drop_index("ix_listed_due", table_name="listed")
    op.create_index("ix_listed_due", "listed", ["account", "list", "state", "op", "due_at"], unique=False)
    op.add_column("incidents", sa.Column("spells", sa.Text(), server_default="[]", nullable=False))
    connection = op.get_bind()
    # Those from before excuse what they excused so far: all from their first report to their end, or to the last one.
    rows = connection.execute(
        sa.text(
            "SELECT id, first_at, last_at, resolved_at FROM incidents WHERE place <> '' "
            "AND (resolved_at IS NOT NULL OR state IN ('open', 'acknowledged'))"
        )
    ).all()
    mine = sa.text("UPDATE incidents SET spells = :spells WHERE id = :id")
    for number, first, last, resolved in rows:
        spells = [[first, last if resolved is None else resolved, 0]]
        connection.execute(mine, {"spells": json.dumps(spells), "id": number})
    _let_go(connection)


def _let_go(connection: sa.Connection) -> None:
    """Mark what a person let go: from now on only that leaves where the policy does not let resends act."""
    retries = sa.table("retries", *map(sa.column, ("id", "report_id", "state", "mode", "rule", "note")))
    decisions = sa.table("decisions", sa.column("report_id"), sa.column("replay", sa.Boolean()), sa.column("actions"))
    open_ones = (retries.c.mode == "act") & retries.c.state.in_(_MAY_LEAVE)
    by_hand = sa.update(retries).values(mode="by_hand")
    consents = sa.or_(*(retries.c.note.startswith(begin) for begin in _CONSENTS))
    connection.execute(by_hand.where(open_ones, consents))
    # Where the note tells of what held it back since, the decision tells that the policy alone would not have sent it.
    joined = retries.join(decisions, decisions.c.report_id == retries.c.report_id)
    query = sa.select(retries.c.id, retries.c.rule, decisions.c.actions).select_from(joined)
    for number, rule, actions in connection.execute(query.where(open_ones, ~decisions.c.replay)).all():
        plans = [one for one in json.loads(actions) if (one.get("action"), one.get("rule")) == ("retry", rule)]
        planned_as = {one.get("mode") for one in plans}
        if planned_as and "act" not in planned_as:
            connection.execute(by_hand.where(retries.c.id == number))
