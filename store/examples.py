"""What incidents show of single people: message ids, entries, masked addresses. Taken out again for one of them."""

import json
from collections.abc import Collection

from sqlalchemy import Connection, select, update

from config.mask import mask_text
from store.schema import incident_deltas, incidents


def remove(connection: Connection, names: Collection[str], masked: str) -> int:
    """Remove examples that have one of these names, or are no more than the masked address; return how many."""
    removed = 0
    # A message id that looks like a number is shown masked, too.
    shown = {*names, *map(mask_text, names)}

    def is_theirs(example: str) -> bool:
        return example == masked or example.split(" to ")[0] in shown

    for row in connection.execute(select(incidents.c.id, incidents.c.examples)).all():
        examples = json.loads(row.examples)
        left = [example for example in examples if not is_theirs(example)]
        if left != examples:
            removed += len(examples) - len(left)
            changed = update(incidents).where(incidents.c.id == row.id)
            connection.execute(changed.values(examples=json.dumps(left, ensure_ascii=False)))
    for delta in connection.execute(select(incident_deltas.c.id, incident_deltas.c.example)).all():
        if delta.example and is_theirs(delta.example):
            removed += 1
            connection.execute(update(incident_deltas).where(incident_deltas.c.id == delta.id).values(example=""))
    return removed
