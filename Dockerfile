# docker run -v points:/data -e POINTS_BRIDGE_<HELPDESK>_TOKEN_FILE=... points-bridge
# /data holds points-bridge.toml and the database.

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src

# What runs: the runtime packages and nothing else, by hash.
COPY requirements-runtime.lock ./
RUN python -m venv /opt/points-bridge \
    && /opt/points-bridge/bin/pip install --require-hashes -r requirements-runtime.lock

# What builds: the development packages hold the build backend, by hash too.
COPY requirements.lock ./
RUN pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE points-bridge.example.toml ./
COPY bridge bridge
COPY webhooks webhooks
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /dist . \
    && /opt/points-bridge/bin/pip install --no-deps --no-index /dist/*.whl \
    && /opt/points-bridge/bin/pip check \
    && /opt/points-bridge/bin/pip uninstall --yes pip


FROM python:3.13-slim
# An empty PYTHONTZPATH makes zoneinfo read the pinned tzdata package, not the image's older copy.
ENV PATH=/opt/points-bridge/bin:$PATH PYTHONTZPATH="" PYTHONUNBUFFERED=1
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin bridge \
    && install --directory --owner=bridge --group=bridge --mode=0750 /data
COPY --from=build /opt/points-bridge /opt/points-bridge
USER bridge
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["python", "-c", \
    "import http.client, sys; c = http.client.HTTPConnection('127.0.0.1', 8080, timeout=4); c.request('GET', '/health/live'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["points-bridge"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
