# Vocero in a container: libraries pinned by the hashes of requirements.lock, run by a user without rights.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY requirements.lock ./
RUN python -m venv /opt/vocero \
    && /opt/vocero/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY alembic ./alembic
COPY parsers ./parsers
COPY outbox ./outbox
COPY gateway ./gateway
RUN /opt/vocero/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
RUN groupadd --gid 10001 vocero \
    && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin vocero \
    && install -d -m 0700 -o vocero -g vocero /data /key
COPY --from=build /opt/vocero /opt/vocero
ENV PATH=/opt/vocero/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    VOCERO_DATA_DIR=/data \
    VOCERO_KEY_FILE=/key/vocero.key \
    VOCERO_HOST=0.0.0.0 \
    VOCERO_PORT=8000
WORKDIR /data
USER 10001:10001
VOLUME ["/data", "/key"]
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['VOCERO_PORT'] + '/healthz', timeout=4)"]
ENTRYPOINT ["vocero"]
CMD ["serve"]
