"""Lists of Zendesk's, read to their end, in whichever of its ways it gives them. No I/O.

Asked by cursor, it answers with `meta`. Not everywhere: the audits of archived tickets "do not
support pagination", and what has no cursors has numbered pages or is the whole list.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bridge.adapters.answers import understood
from bridge.errors import HelpdeskRefused

Page = dict[str, Any]

_MOST_PAGES = 100


def every_page(
    name: str, params: Mapping[str, str], read: Callable[[Mapping[str, str]], object]
) -> list[Page]:
    """The pages of a list.

    Args:
        name: what the list is called in its pages.
        params: the query of the first page, which asks for a cursor.
        read: takes a page's query and gives the decoded page; it raises what it likes.

    Raises:
        HelpdeskRefused: a page makes no sense, there is no end, or the end came too early.
    """
    pages: list[Page] = []
    following: Mapping[str, str] | None = params
    while following is not None:
        if len(pages) == _MOST_PAGES:
            raise HelpdeskRefused(f"Zendesk's list of {name} has more than {_MOST_PAGES} pages")
        pages.append(understood("Zendesk", Page, read(following)))
        following = _following(pages[-1], params)
    found, told = sum(len(page.get(name) or ()) for page in pages), pages[-1].get("count")
    if pages[-1].get("meta") is None and isinstance(told, int) and told > found:
        raise HelpdeskRefused(f"Zendesk's list of {name} has {told} of them, but shows {found}")
    return pages


def _following(page: Page, params: Mapping[str, str]) -> Mapping[str, str] | None:
    """The query of the page after this one; None where it is the last."""
    meta = page.get("meta")
    if isinstance(meta, dict):
        if meta.get("has_more") is not True:
            return None
        cursor = meta.get("after_cursor")
        if not isinstance(cursor, str):
            raise HelpdeskRefused("Zendesk's list has more, but does not say where")
        return {**params, "page[after]": cursor}
    # Only the query is taken: a credential goes to no other address than ours.
    link = page.get("next_page")
    return dict(parse_qsl(urlsplit(link).query)) if isinstance(link, str) and link else None
