"""Tags by label."""

from collections.abc import Callable, Sequence

from medianest.arr.client import ArrClient
from medianest.arr.models import Tag
from medianest.arr.wire import number, objects, required_id, text


def read_tags(client: ArrClient) -> tuple[Tag, ...]:
    """Return all tags of a server."""
    return tuple(
        Tag(found, label)
        for each in objects(client.get("tag"), "tag")
        if (found := number(each.get("id"))) and (label := text(each.get("label")))
    )


def tag_ids(
    client: ArrClient, labels: Sequence[str], may_change: Callable[[], bool]
) -> frozenset[int]:
    """Return the ids of labels; a label that the server lacks is created."""
    if not labels:
        return frozenset()
    known = {tag.label.lower(): tag.id for tag in read_tags(client)}
    for label in labels:
        if label not in known:
            created = client.change("POST", "tag", {"label": label}, may_change)
            known[label] = required_id(created if isinstance(created, dict) else {}, "tag")
    return frozenset(known[label] for label in labels)
