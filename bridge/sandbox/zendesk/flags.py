"""What Zendesk doubts about a comment: its flags, after the page "Comment flags".

They are in the metadata of the comment and of its audit, which have nothing of the kind where there
is no doubt. The form is that of a recorded audit with flag 11.
"""

from enum import IntEnum

from bridge.sandbox.zendesk.records import Record


class Flag(IntEnum):
    """The flags that are documented, by what they say of a comment."""

    UNSURE = 0
    AUTHOR_NOT_IN_CONVERSATION = 2
    AUTHOR_NOT_SIGNED_IN = 3
    AUTOMATIC = 4
    FILE_TOO_BIG = 5
    ON_BEHALF = 11
    PERHAPS_NOT_SENT_BY_USER = 14
    PRIVATE_BY_END_USER = 15
    NAME_CUT = 16
    PRIVATE_BY_END_USER_ALSO = 17
    CCS_CUT = 18
    AGENT_IN_REPLY_TO = 20
    FROM_AND_REPLY_TO_DIFFER = 21
    ADDRESS_UNCONFIRMED = 22


def marks(*flags: int, trusted: bool = False, suspension: int | None = None) -> Record:
    """The part of a metadata that flags make; nothing for no flags and no suspension.

    Args:
        flags: the flags.
        trusted: whether Zendesk trusts the comment all the same.
        suspension: why the mail was suspended before it was recovered, by its `cause_id`.
    """
    if not flags and suspension is None:
        return {}
    numbers = sorted({int(flag) for flag in flags})
    options = {str(number): {"trusted": trusted} for number in numbers}
    marked: Record = {"flags": numbers, "flags_options": options, "trusted": trusted}
    return marked if suspension is None else marked | {"suspension_type_id": suspension}


def on_behalf(metadata: Record, actor: Record) -> Record:
    """A metadata with the flag of a comment that `actor` wrote in another one's name."""
    marked = marks(*metadata.get("flags", ()), Flag.ON_BEHALF)
    said = {"message": {"user": actor["name"], "user_id": actor["id"]}, "trusted": False}
    options = {**marked["flags_options"], **metadata.get("flags_options", {})}
    return metadata | marked | {"flags_options": options | {str(int(Flag.ON_BEHALF)): said}}
