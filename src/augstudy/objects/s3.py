"""A store that speaks S3: Amazon's, or the one in the cluster; versions are ETags."""

import contextlib
import datetime
import io
import logging
import mimetypes
import os
import shutil
import uuid
from collections.abc import Iterator
from functools import cached_property
from typing import Any, BinaryIO

from augstudy.core.errors import InputError, ServiceError
from augstudy.core.redaction import conceal
from augstudy.objects.address import Address, check_endpoint, refuse_credentials
from augstudy.objects.base import Store
from augstudy.objects.exchange import is_page
from augstudy.objects.parallel import SMALL_AT_ONCE
from augstudy.objects.retry import PageError, PreconditionError, TransientError
from augstudy.objects.signin import SignIn
from augstudy.objects.types import ABSENT, Span, Stat

try:
    import botocore.session
    from botocore import UNSIGNED
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
    from botocore.parsers import ResponseParserError
except ImportError as error:
    raise InputError(
        "s3:// and minio:// need a package that is not installed: pip install 'augstudy[s3]'."
    ) from error

PAYER_VARIABLE = "AWS_REQUEST_PAYER"
_NO_ETAG = "0" * 32
_CLAIM_LASTS = datetime.timedelta(minutes=1)
_WRONG, _CHECK = "S3 cannot be set up", "check the AWS_... variables and the AWS profile"
logger = logging.getLogger("augstudy")


class S3Store(Store):
    """A bucket or a folder in it, ``s3://bucket/folder`` or ``minio://bucket/folder``."""

    errors = (BotoCoreError, ClientError, ResponseParserError)
    advice = (
        "check its name, its permissions and the credentials; if the requester pays, set "
        f"{PAYER_VARIABLE}=requester"
    )

    def __init__(self, address: Address, sign_in: SignIn) -> None:
        self.uri, self.container = address.uri, address.container
        self._bucket = address.bucket
        self._prefix = f"{address.prefix}/" if address.prefix else ""
        payer = os.environ.get(PAYER_VARIABLE)
        self._payer = {"RequestPayer": payer} if payer else {}
        self._client = _client(address, sign_in)

    def _probe(self) -> None:
        self._client.head_bucket(Bucket=self._bucket)

    def _list(self, prefix: str, deep: bool) -> dict[str, Stat]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket,
            Prefix=self._prefix + prefix,
            **({} if deep else {"Delimiter": "/"}),
            **self._payer,
        )
        return {
            item["Key"].removeprefix(self._prefix): _described(item["Size"], item)
            for page in pages
            for item in page.get("Contents", ())
        }

    def _stat(self, key: str) -> Stat:
        found = self._client.head_object(**self._at(key))
        return _described(found["ContentLength"], found)

    def _fetch(
        self, key: str, into: BinaryIO, span: Span | None = None, version: str | None = None
    ) -> None:
        asked = self._at(key)
        if span:
            asked["Range"] = f"bytes={span[0]}-{span[1] - 1}"
        if version is not None:
            asked["IfMatch"] = f'"{version}"'
        found = self._client.get_object(**asked)
        with contextlib.closing(found["Body"]) as body:
            # Not every store heeds the condition.
            if version not in (None, _described(0, found).version):
                raise PreconditionError(key)
            shutil.copyfileobj(body, into)

    def _put(self, key: str, stream: BinaryIO, version: str | None) -> None:
        if version is None or self._heeds_conditions:
            self._put_if(key, stream, version)
        else:
            with self._turn(key):
                self._put_compared(key, stream, version)

    def _delete(self, key: str) -> None:
        self._client.delete_object(**self._at(key))

    def _put_if(self, key: str, stream: BinaryIO, version: str | None) -> None:
        condition = {"IfMatch": f'"{version}"'} if version else {"IfNoneMatch": "*"}
        self._client.put_object(
            **self._at(key),
            **(condition if version is not None else {}),
            Body=stream,
            ContentType=mimetypes.guess_type(key)[0] or "application/octet-stream",
        )

    def _put_compared(self, key: str, stream: BinaryIO, version: str) -> None:
        """Compare before and read again after: all that a store without conditions lets us do."""
        found = self._list(key, deep=True).get(key)
        if version != (found.version if found else ABSENT):
            raise PreconditionError(key)
        data = stream.read()
        self._put_if(key, io.BytesIO(data), None)
        if self._content(key, None, None) != data:
            raise PreconditionError(key)

    @contextlib.contextmanager
    def _turn(self, key: str) -> Iterator[None]:
        """Nobody else who writes `key` like this does so meanwhile.

        Each writer first puts a claim beside the object and goes on only if there is no other. Of
        two at once the later to look sees both claims, so at most one goes on.
        """
        claims = f"{key}.claim-"
        mine = f"{claims}{uuid.uuid4().hex}"
        self._put_if(mine, io.BytesIO(), None)
        try:
            found = self._client.list_objects_v2(
                Bucket=self._bucket, Prefix=self._prefix + claims, **self._payer
            )
            made = {item["Key"]: item["LastModified"] for item in found.get("Contents", ())}
            since = made[self._prefix + mine] - _CLAIM_LASTS
            if sum(time >= since for time in made.values()) > 1:
                raise TransientError("somebody else is writing it")
            yield
        finally:
            with contextlib.suppress(*self.errors):  # it lapses
                self._delete(mine)

    @cached_property
    def _heeds_conditions(self) -> bool:
        """Whether the store refuses to write where the condition of a write does not hold."""
        key = f".augstudy-probe-{uuid.uuid4().hex}"
        self._put_if(key, io.BytesIO(), None)
        try:
            heeds = all(self._refuses(key, version) for version in (ABSENT, _NO_ETAG))
        finally:
            with contextlib.suppress(*self.errors):
                self._delete(key)
        if not heeds:
            logger.warning(
                "%s: this store ignores conditions of writes. Writers take turns by objects named "
                "*.claim-*; one that stalls for a minute may undo what another wrote meanwhile.",
                self.uri,
            )
        return heeds

    def _refuses(self, key: str, version: str) -> bool:
        try:
            self._put_if(key, io.BytesIO(), version)
        except ClientError as error:
            if (status := _http_status(error)) not in (400, 412, 501):
                raise
            return status == 412
        return False

    def _at(self, key: str) -> dict[str, Any]:
        return {"Bucket": self._bucket, "Key": self._prefix + key, **self._payer}

    def _status(self, error: Exception, uri: str, doing: str) -> int | None:
        if isinstance(error, ParamValidationError):
            raise InputError(f"{uri} is not a valid S3 address: check it.") from error
        name = type(error).__name__
        if "Credential" in name or "Token" in name:
            raise ServiceError(f"{uri} cannot be {doing}: the credentials are invalid.") from error
        return _http_status(error)


def own_access(address: Address) -> tuple[str, bool]:
    """The endpoint that environment and profile name, and whether they have credentials.

    Raises:
        InputError: the endpoint is no address, or the profile cannot be read.
    """
    return _own_access(botocore.session.Session(), address)


def _own_access(session: Any, address: Address) -> tuple[str, bool]:
    try:
        endpoint = address.endpoint or session.get_scoped_config().get("endpoint_url") or ""
        refuse_credentials(str(endpoint), "endpoint in the AWS profile")
        check_endpoint(endpoint, "The endpoint_url of the AWS profile")
        credentials = session.get_credentials()
        if credentials is not None:
            conceal(credentials.secret_key, credentials.token)
        return str(endpoint), credentials is not None
    except BotoCoreError as error:
        raise InputError(f"{_WRONG} ({type(error).__name__}): {_CHECK}.") from error


def _client(address: Address, sign_in: SignIn) -> Any:
    session = botocore.session.Session()
    endpoint, has_keys = _own_access(session, address)
    endpoint = sign_in.endpoint or endpoint
    if address.scheme == "minio" and not endpoint:
        raise InputError(
            f"{address.uri} needs the address of its store: set AWS_ENDPOINT_URL, for example "
            "http://localhost:9000."
        )
    config = Config(
        retries={"total_max_attempts": 1},  # augstudy.objects.retry is the only one who retries
        connect_timeout=10,
        max_pool_connections=SMALL_AT_ONCE + 2,
        signature_version=None if has_keys or sign_in.key else UNSIGNED,
        # Not every store but Amazon's understands the newer checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    try:
        client = session.create_client(
            "s3",
            region_name=sign_in.region or None,
            endpoint_url=endpoint or None,
            aws_access_key_id=sign_in.key or None,
            aws_secret_access_key=sign_in.secret or None,
            config=config,
        )
    except (BotoCoreError, ValueError) as error:  # such as a region with a blank
        raise InputError(f"{_WRONG} ({type(error).__name__}): {_CHECK}.") from error
    client.meta.events.register("before-parse.s3", _check_sender)
    return client


def _check_sender(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    """Raise PageError where a login proxy answers in place of the store.

    An object may be a web page, too; the store sends its version with it.
    """
    headers = response_dict["headers"]
    if operation_model.name in ("GetObject", "HeadObject", "PutObject"):
        strange = "etag" not in headers
    else:
        strange = is_page(headers.get("content-type", ""))
    if strange and response_dict["status_code"] in (200, 206):  # nothing comes with a 204
        raise PageError(operation_model.name)


def _http_status(error: Exception) -> int | None:
    response = getattr(error, "response", {})
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) or None


def _described(size: int, found: Any) -> Stat:
    return Stat(size, str(found["ETag"]).strip('"'))
