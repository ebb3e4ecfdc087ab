"""The HTTP that every vendor module shares: one call, one deadline, one error tree.

`requests` alone is not enough towards somebody else's server: its timeout counts per packet, it
follows redirects with our credentials, it reads bodies of any size, and its errors quote URLs.
"""

import io
import json
import socket
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from time import monotonic
from typing import Any, NoReturn
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import Retry, Timeout

from bridge import __version__
from bridge.adapters.headers import answered_by, retry_after_in
from bridge.errors import BridgeError, HelpdeskRefused, HelpdeskUnavailable, SettingsError

CONNECT_TIMEOUT = 5.0
MAX_ANSWER_BYTES = 64 * 2**20

_CHUNK = 64 * 2**10
_TRY_LATER = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Failure:
    """An answer that is neither 2xx nor a redirect. `body` is not fit for a log.

    `by` is what answered, as far as it tells: its name and the kind of answer.
    """

    where: str
    status: int
    body: object = field(repr=False)
    retry_after: float | None = None
    by: str = ""


Explain = Callable[[Failure], BridgeError | None]
"""A vendor's own reading of a failure; None leaves it to the table that all vendors share."""

Sign = Callable[[requests.PreparedRequest], requests.PreparedRequest]
"""Puts a credential on a request that is about to be sent."""


def decode_json(raw: bytes) -> object:
    """Parse JSON that a stranger wrote.

    Raises:
        ValueError: for anything that is not strict JSON in UTF-8, however deep, long or odd.
    """
    try:
        return json.loads(raw.decode(), parse_constant=_not_json)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _not_json(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


class GuardedSession(requests.Session):
    """A session for one thread that keeps every promise of `Adapter`, whoever uses it.

    A request is sent once, to `base_url` only, follows no redirect, and ends within the deadline;
    one of the methods that may be sent `again` once more, on a fresh connection, where the other
    side closed the one it was sent on before it answered.
    What comes back is a 2xx answer, read to its end; everything else is raised in our error tree.
    A vendor's own client library can be given one: it then never sees an answer to retry.
    """

    def __init__(
        self,
        base_url: str,
        *,
        sign: Sign,
        deadline: float,
        max_bytes: int = MAX_ANSWER_BYTES,
        explain: Explain = lambda _failure: None,
        again: Collection[str] = (),
    ) -> None:
        """Connect to nothing yet.

        Args:
            base_url: see `checked_base_url`.
            sign: puts the credential on a request; may raise in our error tree.
            deadline: seconds for one call in all, from connecting to the last byte of the answer.
                Neither the operating system's name look-up nor `sign` is counted.
            max_bytes: the longest answer that is read, decompressed.
            explain: the vendor's reading of a failure.
            again: the methods whose calls may all be repeated.
        """
        super().__init__()
        self._again = frozenset(again)
        self.base_url = base_url
        self._deadline = deadline
        self._max_bytes = max_bytes
        self._explain = explain
        # An auth hook and not a header: requests lets ~/.netrc overrule a header.
        self.auth = sign
        self.headers["User-Agent"] = f"support-points-bridge/{__version__}"
        self.headers["Accept"] = "application/json"
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = _DeadlineAdapter(max_retries=Retry(total=0, read=False))
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def request(
        self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any
    ) -> requests.Response:
        """A 2xx answer. Whether repeating is safe is the caller's to know.

        Raises:
            HelpdeskUnavailable: no answer in time, or one that asks to come back later. The vendor
                may have carried out what it was asked.
            HelpdeskRefused: any other answer than 2xx, or a URL outside of `base_url`.
        """
        method, url = str(method), str(url)
        where = _where(method, url)
        if not url.startswith(f"{self.base_url}/"):
            raise HelpdeskRefused(f"{where}: that is not the helpdesk's own address")
        try:
            with self._sent(method, url, *args, **kwargs) as response:
                raw = self._read(response, where)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            # Their texts quote URLs, so neither text nor cause may travel on.
            reason = type(error).__name__
            raise HelpdeskUnavailable(f"{where}: no complete answer ({reason})") from None
        if not 200 <= response.status_code < 300:
            raise self._failed(where, response, raw)
        return _whole(response, raw)

    def _sent(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:
        # Overrules what a client library thinks is right.
        kwargs |= {"allow_redirects": False, "stream": True, "timeout": self._timeout()}
        since = monotonic()
        try:
            return super().request(method, url, *args, **kwargs)
        except requests.ConnectionError as error:
            left = self._deadline - (monotonic() - since)
            if method not in self._again or isinstance(error, requests.Timeout) or left <= 0:
                raise
        self.get_adapter(url).close()
        return super().request(method, url, *args, **kwargs | {"timeout": self._timeout(left)})

    def _read(self, response: requests.Response, where: str) -> bytes:
        raw = bytearray()
        for chunk in response.iter_content(_CHUNK):
            raw += chunk
            if len(raw) > self._max_bytes:
                raise HelpdeskRefused(
                    f"{where}: the answer is longer than {self._max_bytes} bytes",
                    status=response.status_code,
                )
        return bytes(raw)

    def _failed(self, where: str, response: requests.Response, raw: bytes) -> BridgeError:
        status = response.status_code
        if status < 400:
            return HelpdeskRefused(
                f"{where}: answers with a redirect ({status}); set the url to the final address",
                status=status,
            )
        try:
            body = decode_json(raw)
        except ValueError:
            body = None
        told = response.headers
        failure = Failure(where, status, body, retry_after_in(told), answered_by(told))
        return self._explain(failure) or _general(failure)

    def _timeout(self, left: float | None = None) -> Timeout:
        total = self._deadline if left is None else left
        return Timeout(connect=min(CONNECT_TIMEOUT, total), total=total)


class JsonClient:
    """Calls one base URL with one credential. Shared by threads; each has its own connections.

    Nothing is ever sent twice: the outbox and the inbox repeat, and know what may be repeated.
    """

    def __init__(
        self,
        base_url: str,
        *,
        authorization: str,
        deadline: float = 20.0,
        max_bytes: int = MAX_ANSWER_BYTES,
        explain: Explain = lambda _failure: None,
    ) -> None:
        """Check the address; connect to nothing yet.

        Args:
            base_url: see `checked_base_url`.
            authorization: the value of the Authorization header.
            deadline: as `GuardedSession`, and so are the others.
            max_bytes: the longest answer that is read, decompressed.
            explain: the vendor's reading of a failure.

        Raises:
            SettingsError: the address or the credential cannot be used.
        """
        self._base = checked_base_url(base_url)
        self._local = threading.local()
        self._open = partial(
            GuardedSession,
            self._base,
            sign=signing(authorization),
            deadline=deadline,
            max_bytes=max_bytes,
            explain=explain,
        )

    def get(self, path: str, params: Mapping[str, str] | None = None) -> object:
        """The decoded answer of a GET. Repeatable. `path` is quoted in errors, `params` is not.

        Raises:
            HelpdeskUnavailable: no answer in time, or one that asks to come back later.
            HelpdeskRefused: any other answer than 2xx with JSON.
        """
        return decoded(self._session().get(self._base + path, params=params))

    def put(self, path: str, body: Mapping[str, object]) -> object:
        """The decoded answer of a PUT with a JSON body. Raises as `get`.

        Whether repeating is safe is the caller's to know: after `HelpdeskUnavailable` the vendor
        may have carried it out.
        """
        return decoded(self._session().put(self._base + path, json=body))

    def _session(self) -> GuardedSession:
        session: GuardedSession | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = self._open()
        return session


def decoded(response: requests.Response) -> object:
    """The JSON of a 2xx answer.

    Raises:
        HelpdeskRefused: it is none.
    """
    try:
        return decode_json(response.content)
    except ValueError:
        where = _where(str(response.request.method), str(response.request.url))
        status, by = response.status_code, answered_by(response.headers)
    raise HelpdeskRefused(
        f"{where}: answers {status} without JSON ({by}); is the url that of the helpdesk?",
        status=status,
    )


def signing(authorization: str) -> Sign:
    """What puts this Authorization header on a request.

    Raises:
        SettingsError: no header can carry it.
    """
    if not (authorization.isascii() and authorization.isprintable()):
        # http.client would quote the whole value in its complaint.
        raise SettingsError("the helpdesk's token holds a character that no token has")

    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = authorization
        return request

    return sign


def checked_base_url(base_url: str) -> str:
    """`https://host[:port][/path]`, without a slash at its end.

    Raises:
        SettingsError: it is no such address, or holds credentials, a query or a fragment.
    """
    problem = "the helpdesk's url must be https://host[:port][/path], without user or query"
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise SettingsError(problem) from None
    has_more = "@" in parts.netloc or "?" in base_url or "#" in base_url
    if parts.scheme not in {"http", "https"} or not host or has_more:
        raise SettingsError(problem)
    return base_url.rstrip("/")


def _where(method: str, url: str) -> str:
    """A call as errors name it: without its query, which may hold a secret."""
    parts = urlsplit(url)
    return f"{method} {parts.path} at {parts.netloc}"


def _whole(response: requests.Response, raw: bytes) -> requests.Response:
    """The same answer with its body at hand, and no connection behind it any more."""
    whole = requests.Response()
    whole.status_code, whole.headers, whole.raw = (
        response.status_code,
        response.headers,
        io.BytesIO(raw),
    )
    whole.url, whole.request = response.url, response.request
    return whole


def _general(failure: Failure) -> BridgeError:
    where, status = failure.where, failure.status
    if status >= 500 or status in _TRY_LATER:
        return HelpdeskUnavailable(
            f"{where}: answers {status}, try again later", retry_after=failure.retry_after
        )
    if status in {401, 403}:
        return HelpdeskRefused(
            f"{where}: answers {status}; the credentials are wrong or lack a right", status=status
        )
    return HelpdeskRefused(f"{where}: answers {status} ({failure.by})", status=status)


class _BudgetIO(io.RawIOBase):
    """A socket's bytes, with its timeout taken as a budget for all of them, not for each read."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        budget = sock.gettimeout()
        self._until = None if budget is None else monotonic() + budget

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._until is not None:
            left = self._until - monotonic()
            if left <= 0:
                raise TimeoutError
            self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _BudgetResponse(HTTPResponse):
    """Status line, headers and body within one budget: a dripping server is cut off anywhere."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_BudgetIO(sock))


class _Connection(HTTPConnection):
    response_class = _BudgetResponse


class _TlsConnection(HTTPSConnection):
    response_class = _BudgetResponse


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS = {"http": _Pool, "https": _TlsPool}


class _DeadlineAdapter(HTTPAdapter):
    """urllib3 hands on what is left of Timeout(total=...) when it begins to wait for the answer."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager
