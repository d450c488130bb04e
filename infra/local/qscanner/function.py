"""A function's real package: GetFunction with the credentials of the environment, then the download."""

import base64
import hashlib
import ssl
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from typing import IO, Any
from urllib.parse import urlsplit

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, HTTPClientError

from infra.local.qscanner.exit_codes import ExitCode, ScanFailed
from infra.local.qscanner.limits import KIB, MIB, Budget
from spoke.arn import FunctionArn

_DOWNLOAD_BYTES = 300 * MIB
"""Lambda allows 250 MB unpacked; nothing larger can be a function's package."""
_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Package:
    """A zip to read.

    Attributes:
        name: For messages: the function's or the layer version's ARN.
        location: Where it lies; a signed URL, so it must not show in messages.
        code_sha256: What it must hash to, in Base64 as AWS gives it; None where AWS gives none.
    """

    name: str
    location: str
    code_sha256: str | None


@dataclass(frozen=True, slots=True)
class Function:
    """What GetFunction tells.

    Attributes:
        configuration: `Configuration`, as AWS answers it.
        code: The function's own zip.
        layers: Its layers' zips, as far as they may be read, in their order.
    """

    configuration: Mapping[str, Any]
    code: Package
    layers: tuple[Package, ...]


@dataclass(frozen=True, slots=True)
class Network:
    """How to reach out.

    Attributes:
        environ: The scanner's environment: credentials, region, endpoint and CA bundle.
        proxy: Instead of the proxies in the process's own environment.
        verify_tls: Whether certificates are checked.
    """

    environ: Mapping[str, str]
    proxy: str | None = None
    verify_tls: bool = True


def describe(arn: FunctionArn, network: Network, budget: Budget) -> Function:
    """GetFunction, and GetLayerVersionByArn for each layer.

    A layer that cannot be had is a warning: whether the licensed scanner reads layers is not known.

    Raises:
        ScanFailed: Refused, missing, throttled or unreachable (10), or an image function (6).
    """
    client = _client(arn, network)
    try:
        answer = client.get_function(FunctionName=str(arn))
    except (ClientError, BotoCoreError) as error:
        raise ScanFailed(ExitCode.FUNCTION_FAILED, f"failed to get function: {_as_the_sdk_says(error)}") from error
    configuration = answer["Configuration"]
    if configuration.get("PackageType") == "Image":
        raise ScanFailed(ExitCode.ARTIFACT_FAILED, f"{arn}: the stand-in cannot read container images")
    location = answer.get("Code", {}).get("Location")
    if not location:
        raise ScanFailed(ExitCode.ARTIFACT_FAILED, f"{arn}: GetFunction names no place to download the package from")
    layers = []
    for layer in configuration.get("Layers", ()):
        try:
            content = client.get_layer_version_by_arn(Arn=layer["Arn"])["Content"]
            layers.append(Package(layer["Arn"], content["Location"], content.get("CodeSha256")))
        except (ClientError, BotoCoreError, KeyError) as error:
            budget.warn(f"layer {layer.get('Arn')} was not read: {_as_the_sdk_says(error)}")
    return Function(configuration, Package(str(arn), location, configuration.get("CodeSha256")), tuple(layers))


@contextmanager
def downloaded(package: Package, network: Network, budget: Budget) -> Iterator[tuple[IO[bytes], str]]:
    """The zip in an unnamed temporary file, and its SHA-256 in hexadecimal digits.

    Raises:
        ScanFailed: It cannot be had, is too large, or does not hash to what AWS says (6).
    """
    address = urlsplit(package.location)
    if address.scheme not in {"http", "https"}:
        raise ScanFailed(ExitCode.ARTIFACT_FAILED, f"{package.name}: the download has the scheme {address.scheme!r}")
    digest = hashlib.sha256()
    with tempfile.TemporaryFile() as content:
        for chunk in _chunks(package, network):
            digest.update(chunk)
            content.write(chunk)
            budget.check_time()
        if package.code_sha256 is not None and base64.b64encode(digest.digest()).decode() != package.code_sha256:
            raise ScanFailed(ExitCode.ARTIFACT_FAILED, f"{package.name}: the download does not match its CodeSha256")
        content.seek(0)
        yield content, digest.hexdigest()


def _chunks(package: Package, network: Network) -> Iterator[bytes]:
    place = urlsplit(package.location).hostname
    size = 0
    try:
        with _opener(network).open(package.location, timeout=_SECONDS) as answer:
            while chunk := answer.read(256 * KIB):
                size += len(chunk)
                if size > _DOWNLOAD_BYTES:
                    raise ScanFailed(
                        ExitCode.ARTIFACT_FAILED,
                        f"{package.name}: the download is larger than {_DOWNLOAD_BYTES:,} bytes",
                    )
                yield chunk
    except urllib.error.HTTPError as error:
        # The URL itself is signed: it must not show.
        message = f"{package.name}: download from AWS ({place}) failed: StatusCode: {error.code}"
        error.close()
        raise ScanFailed(ExitCode.ARTIFACT_FAILED, message) from None
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise ScanFailed(
            ExitCode.ARTIFACT_FAILED, f"{package.name}: download from AWS ({place}) failed: dial tcp: {reason}"
        ) from None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """S3 answers a signed URL itself; a redirect would lead somewhere that AWS did not name."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def _opener(network: Network) -> urllib.request.OpenerDirector:
    """Opens http and https, and nothing else: no files, no ftp."""
    context = ssl.create_default_context(cafile=network.environ.get("AWS_CA_BUNDLE"))
    if not network.verify_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    proxies = None if network.proxy is None else {"http": network.proxy, "https": network.proxy}
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(proxies),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=context),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _NoRedirects(),
    ):
        opener.add_handler(handler)
    return opener


def _client(arn: FunctionArn, network: Network) -> Any:  # noqa: ANN401  # botocore makes its clients at run time
    environ = network.environ
    missing = [name for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION") if not environ.get(name)]
    if missing:
        raise ScanFailed(
            ExitCode.FUNCTION_FAILED, f"failed to get function: {' and '.join(missing)} missing in the environment"
        )
    if environ["AWS_REGION"] != arn.region:
        # Lambda's own words for a call to the wrong region; an emulator may not care.
        text = f"Functions from '{arn.region}' are not reachable in this region ('{environ['AWS_REGION']}')"
        raise ScanFailed(ExitCode.FUNCTION_FAILED, f"failed to get function: ResourceNotFoundException: {text}")
    proxies = None if network.proxy is None else {"http": network.proxy, "https": network.proxy}
    return botocore.session.Session().create_client(
        "lambda",
        region_name=arn.region,
        aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=environ.get("AWS_SESSION_TOKEN"),
        endpoint_url=environ.get("AWS_ENDPOINT_URL_LAMBDA") or environ.get("AWS_ENDPOINT_URL"),
        verify=None if network.verify_tls else False,
        config=Config(
            proxies=proxies,
            connect_timeout=10,
            read_timeout=_SECONDS,
            retries={"mode": "standard", "total_max_attempts": 2},
        ),
    )


def _as_the_sdk_says(error: Exception) -> str:
    """An error in the form in which the AWS SDK for Go prints it: the licensed scanner is written in Go."""
    if isinstance(error, (HTTPClientError, EndpointConnectionError)):
        return f"operation error Lambda, request send failed, dial tcp: {error}"
    if not isinstance(error, ClientError):
        return str(error)
    answer = error.response.get("ResponseMetadata", {})
    fault = error.response.get("Error", {})
    return (
        f"operation error Lambda: {error.operation_name}, https response error "
        f"StatusCode: {answer.get('HTTPStatusCode')}, RequestID: {answer.get('RequestId', '')}, "
        f"{fault.get('Code')}: {fault.get('Message')}"
    )
