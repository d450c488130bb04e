"""The samples, and what is in each of them.

No sample is a container image: the stand-in cannot read one.
"""

import json
from collections.abc import Mapping

from hub.scans import ScanStatus
from infra.local.samples import credentials
from infra.local.samples.handlers import NODE, NODE_REDIRECT, PYTHON, java
from infra.local.samples.packages import jar, manifest, maven_properties, node_package, python_package
from infra.local.samples.sample import ExpectedFindings, Sample
from infra.local.samples.zips import zip_of

_LOG4J = "org.apache.logging.log4j"
_SPRING = "org.springframework"
_LODASH_4_17_4 = {
    "CVE-2018-3721",
    "CVE-2018-16487",
    "CVE-2019-1010266",
    "CVE-2019-10744",
    "CVE-2020-8203",
    "CVE-2020-28500",
    "CVE-2021-23337",
    "CVE-2025-13465",
    "CVE-2026-2950",
}

_CURRENT_PYTHON = {
    **python_package("requests", "2.34.2", "Python HTTP for Humans.", "Apache-2.0"),
    **python_package("charset-normalizer", "3.5.2", "The Real First Universal Charset Detector.", "MIT"),
    **python_package("idna", "3.20", "Internationalized Domain Names in Applications (IDNA)", "BSD-3-Clause"),
    **python_package("urllib3", "2.8.0", "HTTP library with thread-safe connection pooling.", "MIT"),
    **python_package("certifi", "2026.10.18", "Python package for providing Mozilla's CA Bundle.", "MPL-2.0"),
}


def _orders_api() -> bytes:
    return zip_of(
        {
            **java("com.example.orders", "Handler"),
            "lib/log4j-api-2.14.1.jar": jar(_LOG4J, "log4j-api", "2.14.1", "Apache Log4j API"),
            "lib/log4j-core-2.14.1.jar": jar(_LOG4J, "log4j-core", "2.14.1", "Apache Log4j Core"),
        }
    )


def _ledger_sync() -> bytes:
    """What Maven's shade plugin makes: several artifacts in the one archive that is the package itself."""
    return zip_of(
        {
            **java("com.example.ledger", "Sync"),
            **manifest(Created_By="Maven JAR Plugin 3.4.1", Build_Jdk_Spec="21"),
            **maven_properties("com.example", "ledger-sync", "1.4.0"),
            **maven_properties("com.fasterxml.jackson.core", "jackson-databind", "2.13.2"),
            **maven_properties("org.apache.commons", "commons-text", "1.9"),
            **maven_properties("org.yaml", "snakeyaml", "1.30"),
        }
    )


def _catalog_search() -> bytes:
    """A Spring Boot application in `lib/`: JARs in a JAR in the zip."""
    libraries = {
        f"BOOT-INF/lib/{artifact}-5.3.17.jar": jar(_SPRING, artifact, "5.3.17", artifact)
        for artifact in ("spring-beans", "spring-core", "spring-webmvc")
    }
    application = jar("com.example", "catalog-search", "2.0.1", "catalog-search", inner=libraries)
    return zip_of({**java("com.example.catalog", "Search"), "lib/catalog-search-2.0.1.jar": application})


def _invoice_render() -> bytes:
    return zip_of(
        {
            "app.py": PYTHON,
            **python_package("requests", "2.19.1", "Python HTTP for Humans.", "Apache 2.0"),
            **python_package("urllib3", "1.23", "HTTP library with thread-safe connection pooling.", "MIT"),
            **python_package("chardet", "3.0.4", "Universal encoding detector for Python 2 and 3", "LGPL"),
            **python_package("idna", "2.7", "Internationalized Domain Names in Applications (IDNA)", "BSD-like"),
            **python_package("certifi", "2018.8.24", "Python package for providing Mozilla's CA Bundle.", "MPL-2.0"),
            **python_package("PyYAML", "5.1", "YAML parser and emitter for Python", "MIT"),
        }
    )


def _image_resize() -> bytes:
    return zip_of(
        {
            "index.mjs": NODE,
            **node_package("lodash", "4.17.4", "Lodash modular utilities."),
            **node_package("async", "2.6.0", "Higher-order functions and common patterns for asynchronous code"),
            **node_package("lodash", "4.17.10", "Lodash modular utilities.", under="node_modules/async/"),
            **node_package("minimist", "1.2.0", "parse argument options"),
        }
    )


def _billing_export() -> bytes:
    settings = (
        "[default]\n"
        f"aws_access_key_id = {credentials.aws_access_key_id()}\n"
        f"aws_secret_access_key = {credentials.aws_secret_access_key()}\n"
    )
    return zip_of({"app.py": PYTHON, "config/credentials.ini": settings, **_CURRENT_PYTHON})


def _webhook_relay() -> bytes:
    return zip_of(
        {
            "index.mjs": NODE,
            "certs/relay.pem": credentials.private_key(),
            ".env": f"GITHUB_TOKEN={credentials.github_token()}\n",
            **node_package("lodash", "4.18.1", "Lodash modular utilities."),
        }
    )


def _health_check() -> bytes:
    """Old versions stand in lock and requirement files only: they install nothing."""
    lock = {"lockfileVersion": 3, "packages": {"node_modules/lodash": {"version": "4.17.4"}}}
    return zip_of(
        {
            "app.py": PYTHON,
            "requirements.txt": "requests==2.19.1\nPyYAML==5.1\n",
            "package-lock.json": json.dumps(lock, indent=2) + "\n",
            "pom.xml": "<project><dependencies><!-- log4j-core 2.14.1 was removed --></dependencies></project>\n",
            **_CURRENT_PYTHON,
        }
    )


def _redirect() -> bytes:
    return zip_of({"index.mjs": NODE_REDIRECT})


def _legacy_report() -> bytes:
    return zip_of({"app.py": PYTHON, **python_package("PyYAML", "5.3", "YAML parser and emitter for Python", "MIT")})


def _tags(team: str, **more: str) -> Mapping[str, str]:
    return {"team": team, **more}


SAMPLES: tuple[Sample, ...] = (
    Sample(
        name="orders-api",
        account=0,
        region=0,
        runtime="java17",
        handler="com.example.orders.Handler::handleRequest",
        architecture="x86_64",
        build=_orders_api,
        expected=ExpectedFindings(
            packages=2, cves=frozenset({"CVE-2021-44228", "CVE-2021-45046", "CVE-2021-45105", "CVE-2021-44832"})
        ),
        description="Log4Shell: log4j-core 2.14.1 in lib/",
        tags=_tags("orders"),
    ),
    Sample(
        name="invoice-render",
        account=0,
        region=1,
        runtime="python3.12",
        handler="app.handler",
        architecture="x86_64",
        build=_invoice_render,
        expected=ExpectedFindings(
            packages=6,
            cves=frozenset(
                {
                    "CVE-2018-18074",
                    "CVE-2023-32681",
                    "CVE-2024-35195",
                    "CVE-2024-47081",
                    "CVE-2026-25645",
                    "CVE-2019-20477",
                    "CVE-2020-1747",
                    "CVE-2020-14343",
                    "CVE-2020-26137",
                    "CVE-2023-43804",
                    "CVE-2023-45803",
                    "CVE-2024-37891",
                    "CVE-2022-23491",
                    "CVE-2023-37920",
                    "CVE-2024-3651",
                }
            ),
        ),
        description="old requests 2.19.1 with what it brings, and PyYAML 5.1",
        tags=_tags("billing"),
    ),
    Sample(
        name="ledger-sync",
        account=0,
        region=1,
        runtime="java21",
        handler="com.example.ledger.Sync::handleRequest",
        architecture="arm64",
        build=_ledger_sync,
        expected=ExpectedFindings(
            packages=4,
            cves=frozenset({"CVE-2020-36518", "CVE-2022-42003", "CVE-2022-42004", "CVE-2022-42889", "CVE-2022-1471"}),
        ),
        description="a shaded JAR: jackson-databind 2.13.2, Commons Text 1.9, SnakeYAML 1.30",
        tags=_tags("ledger"),
    ),
    Sample(
        name="image-resize",
        account=1,
        region=0,
        runtime="nodejs22.x",
        handler="index.handler",
        architecture="arm64",
        build=_image_resize,
        expected=ExpectedFindings(packages=4, cves=frozenset(_LODASH_4_17_4 | {"CVE-2020-7598", "CVE-2021-44906"})),
        description="old lodash 4.17.4, another one nested, and minimist 1.2.0",
        tags=_tags("media"),
    ),
    Sample(
        name="billing-export",
        account=1,
        region=1,
        runtime="python3.13",
        handler="app.handler",
        architecture="arm64",
        build=_billing_export,
        expected=ExpectedFindings(packages=5, secrets=2),
        description="an AWS key left in a file",
        tags=_tags("billing"),
    ),
    Sample(
        name="legacy-report",
        account=1,
        region=0,
        runtime="python3.11",
        handler="app.handler",
        architecture="x86_64",
        build=_legacy_report,
        expected=ExpectedFindings(packages=1, cves=frozenset({"CVE-2020-1747", "CVE-2020-14343"})),
        description="excluded by its tag",
        tags=_tags("reports", QualysScanExclude="true"),
    ),
    Sample(
        name="webhook-relay",
        account=2,
        region=0,
        runtime="nodejs22.x",
        handler="index.handler",
        architecture="x86_64",
        build=_webhook_relay,
        expected=ExpectedFindings(packages=1, secrets=2),
        description="a private key and a GitHub token left in files",
        tags=_tags("integrations"),
    ),
    Sample(
        name="catalog-search",
        account=2,
        region=1,
        runtime="java17",
        handler="com.example.catalog.Search::handleRequest",
        architecture="x86_64",
        build=_catalog_search,
        expected=ExpectedFindings(packages=4, cves=frozenset({"CVE-2022-22965"})),
        description="Spring4Shell: JARs in a JAR",
        tags=_tags("catalog"),
    ),
    Sample(
        name="health-check",
        account=2,
        region=0,
        runtime="python3.13",
        handler="app.handler",
        architecture="x86_64",
        build=_health_check,
        expected=ExpectedFindings(packages=5),
        description="clean: current packages, old versions in lock files only",
        tags=_tags("platform"),
    ),
    Sample(
        name="redirect",
        account=2,
        region=1,
        runtime="nodejs22.x",
        handler="index.handler",
        architecture="arm64",
        build=_redirect,
        expected=ExpectedFindings(packages=0, status=ScanStatus.PARTIAL, reasons=("no_packages",)),
        description="no packages at all",
        tags=_tags("platform"),
    ),
)
"""In no order that matters; names differ across all accounts."""
