# The worker's image (target `worker`, the default) and the image for trying things out (target `local`).
# It keeps to what every builder knows: no RUN --mount, no here-documents.

# Any image with python3 (3.11 or newer, with venv) in its PATH will do. The digest is what is pulled; the tag is for readers.
ARG BASE=python:3.13.15-slim-trixie@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b

# pip and the build backend live in /opt/build, which no final stage copies.
FROM ${BASE} AS tools
# A mirror of the package index, if one is to be used. The hashes bind whatever it serves.
ARG PIP_INDEX_URL
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY requirements/build.txt requirements/
RUN python3 -m venv /opt/build \
 && /opt/build/bin/pip install --quiet --require-hashes --only-binary=:all: --requirement requirements/build.txt

FROM tools AS wheel
COPY pyproject.toml README.md LICENSE ./
COPY spoke spoke
COPY hub hub
COPY worker worker
COPY infra infra
COPY scanhub scanhub
RUN /opt/build/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir /dist .

# Both final stages stand on this one: a user, a place to write, and no installer.
FROM ${BASE} AS runtime
# What cannot be installed cannot be misused; neither setuid programs nor pip have work to do here.
RUN rm -rf /usr/local/bin/pip* /usr/local/lib/python3*/site-packages/* /usr/local/lib/python3*/ensurepip \
        /usr/lib/python3*/ensurepip /usr/share/python-wheels \
 && find / -xdev -type f -perm /6000 -exec chmod a-s '{}' + \
 && groupadd --gid 10001 scanhub \
 && useradd --uid 10001 --gid 10001 --no-log-init --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin scanhub \
 && install -d -o 10001 -g 10001 -m 0700 /scratch
# The bytecode is compiled at build time and holds no time stamps, so a read-only root loses nothing.
# PYTHONSAFEPATH: the current directory is one that scans may write to, so nothing is imported from there.
ENV PATH=/opt/scanhub/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1 \
    SCANHUB_WORK_DIR=/scratch/scans \
    TMPDIR=/scratch
WORKDIR /scratch
# Fargate takes a mounted volume's owner and mode from the image only where the image declares the volume.
VOLUME ["/scratch"]
USER 10001:10001
STOPSIGNAL SIGTERM
ENTRYPOINT ["scanhub"]
CMD ["worker"]

FROM tools AS local-environment
COPY requirements/local.txt requirements/
RUN python3 -m venv --without-pip /opt/scanhub \
 && /opt/build/bin/pip --python /opt/scanhub/bin/python install --quiet --no-compile --require-hashes --only-binary=:all: \
        --requirement requirements/local.txt
COPY --from=wheel /dist /dist
# The lock for local use also holds what an editable install needs; an image needs none of it.
RUN /opt/build/bin/pip --python /opt/scanhub/bin/python install --quiet --no-compile --no-deps --no-index /dist/*.whl \
 && /opt/build/bin/pip --python /opt/scanhub/bin/python uninstall --quiet --yes hatchling editables trove-classifiers \
 && /opt/scanhub/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/scanhub/lib

# The embedded cloud and the stand-in scanner: for trying out and testing, never for a real account.
FROM runtime AS local
COPY --from=local-environment /opt/scanhub /opt/scanhub
# Where docker-compose.yml mounts the volume by which one service hands its settings to the next.
USER 0
RUN install -d -o 10001 -g 10001 -m 0700 /settings
USER 10001:10001
ENV SCANHUB_QSCANNER_PATH=/opt/scanhub/bin/qscanner-stand-in
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="scanhub (local)" \
      org.opencontainers.image.description="The embedded cloud, the stand-in scanner and the worker, for trying out" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# The licensed binary: a file of the build context, and its SHA-256 from where it was downloaded.
FROM ${BASE} AS qscanner
ARG QSCANNER_SHA256
RUN : "${QSCANNER_SHA256:?pass the binary checksum: --build-arg QSCANNER_SHA256=<64 hex digits>}"
ARG QSCANNER=qscanner
COPY ${QSCANNER} /opt/qscanner
RUN echo "${QSCANNER_SHA256}  /opt/qscanner" > /opt/qscanner.sha256 \
 && sha256sum --check --strict /opt/qscanner.sha256 \
 && chmod 0555 /opt/qscanner

FROM tools AS worker-environment
COPY requirements/worker.txt requirements/
RUN python3 -m venv --without-pip /opt/scanhub \
 && /opt/build/bin/pip --python /opt/scanhub/bin/python install --quiet --no-compile --require-hashes --only-binary=:all: \
        --requirement requirements/worker.txt
COPY --from=wheel /dist /dist
# The stand-in's command stays out: in a real account nothing but the licensed binary may answer to the worker.
RUN /opt/build/bin/pip --python /opt/scanhub/bin/python install --quiet --no-compile --no-deps --no-index /dist/*.whl \
 && rm /opt/scanhub/bin/qscanner-stand-in \
 && /opt/scanhub/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/scanhub/lib

FROM runtime AS worker
COPY --from=worker-environment /opt/scanhub /opt/scanhub
COPY --from=qscanner /opt/qscanner /opt/qscanner
ARG QSCANNER_SHA256
# The worker checks the same sum again at every start.
ENV SCANHUB_QSCANNER_PATH=/opt/qscanner \
    SCANHUB_QSCANNER_SHA256=${QSCANNER_SHA256}
# Reads a file that the worker's event loop writes. ECS takes the task definition's instead, which says the same.
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s --retries=3 CMD ["scanhub", "worker", "--check"]
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="scanhub" \
      org.opencontainers.image.description="Keeps every AWS Lambda function of an organization scanned, from one security account" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
