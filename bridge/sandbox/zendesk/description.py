"""The types of what requests hold, after Zendesk's official description (Support API 2.0.0).

Webhooks and OAuth are not in it. Members that it does not know are taken: it forbids none. Null
empties a member, which it does not say and everybody relies on. How a wrong type is answered is
not in it either: that is as others have seen it.
"""

from collections.abc import Mapping

from bridge.sandbox.zendesk.records import ApiError

Shape = str | list["Shape"] | Mapping[str, "Shape"]
"""A kind, the kind of a list's items, or the members of an object."""

_KINDS: Mapping[str, tuple[type, ...]] = {
    "an integer": (int,),
    "a string": (str,),
    "a boolean": (bool,),
    "a hash": (dict,),
    "a string, an integer or an array of them": (str, int, list),
}
_INTEGER, _STRING, _BOOLEAN, _HASH, _PLAIN = _KINDS


def _of(kind: Shape, names: str) -> dict[str, Shape]:
    return dict.fromkeys(names.split(), kind)


_COMMENT = _of(_STRING, "body html_body") | {"public": _BOOLEAN, "author_id": _INTEGER}
_CONDITIONS: Shape = [_of(_STRING, "field operator") | {"value": _PLAIN}]
_RULE = _of(_STRING, "title description category_id") | _of(_CONDITIONS, "all any")
_RULE |= {"active": _BOOLEAN, "position": _INTEGER, "output": _HASH}
_RULE |= {"conditions": _of(_CONDITIONS, "all any")}
_RULE |= {"actions": [{"field": _STRING, "value": _PLAIN}]}
_FIELD = _of(_STRING, "key type title description agent_description regexp_for_validation")
_FIELD |= _of(_BOOLEAN, "active required visible_in_portal editable_in_portal required_in_portal")
_FIELD |= {"position": _INTEGER, "custom_field_options": [_of(_STRING, "name value")]}

REQUESTS: Mapping[str, Shape] = {
    "ticket": {
        **_of(_STRING, "subject external_id status priority type updated_stamp assignee_email"),
        **_of(_INTEGER, "requester_id submitter_id assignee_id group_id organization_id brand_id"),
        **_of(_INTEGER, "problem_id ticket_form_id custom_status_id via_followup_source_id"),
        **_of(_HASH, "requester metadata"),
        "comment": _COMMENT,
        "custom_fields": [{"id": _INTEGER}],
        "safe_update": _BOOLEAN,
        "tags": [_STRING],
    },
    "merge": {
        **_of(_STRING, "source_comment target_comment"),
        **_of(_BOOLEAN, "source_comment_is_public target_comment_is_public"),
        "ids": [_INTEGER],
    },
    "organization": {
        **_of(_STRING, "name details notes external_id"),
        **_of([_STRING], "domain_names tags"),
        "organization_fields": _HASH,
    },
    "user": {**_of(_STRING, "name email"), "user_fields": _HASH},
    "ticket_field": _FIELD,
    "organization_field": _FIELD,
    "trigger": _RULE,
    "trigger_category": {"name": _STRING, "position": _INTEGER},
    "view": _RULE,
}
"""The records in requests, by the names that they are wrapped in; a merge is not wrapped."""

ENVELOPES = frozenset({"organization", "user"})
"""The names that a request must have: without them it holds nothing."""


def insist(place: str, shape: Shape, value: object) -> None:
    """Insist that a value has a shape; null has every one.

    Args:
        place: where it stands in the request, like `ticket.comment.public`; "" is the whole.
        shape: what the description says of it.
        value: what the request has there.

    Raises:
        ApiError: 400.
    """
    if value is None:
        return
    if isinstance(shape, str):
        _insist_on_kind(place, shape, value)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            raise wrong(place, "an array")
        for item in value:
            insist(place, shape[0], item)
    else:
        if not isinstance(value, dict):
            raise wrong(place, _HASH)
        for name, member in shape.items():
            insist(f"{place}.{name}".lstrip("."), member, value.get(name))


def _insist_on_kind(place: str, kind: str, value: object) -> None:
    # To Python true is an integer as well.
    if not isinstance(value, _KINDS[kind]) or (isinstance(value, bool) and kind != _BOOLEAN):
        raise wrong(place, kind)


def wrong(place: str, kind: str) -> ApiError:
    """What stands there is of another kind."""
    told = f"You passed an invalid value for the {place} attribute. "
    told += f"Invalid parameter: {place} must be {kind}"
    return ApiError(400, {"error": {"title": "Invalid attribute", "message": told}})
