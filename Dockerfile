# Two images over the same app: `--target lambda` for AWS Lambda, and the server, which is the default.
ARG BASE=python:3.11-slim

# deps: the pinned packages, checked against their hashes, without the tools that test the registry.
FROM ${BASE} AS deps
WORKDIR /build
COPY pyproject.toml dependencies.txt ./
COPY scripts/tooling scripts/tooling
RUN python3 -m venv /opt/registry \
    && PYTHONPATH=scripts python3 -m tooling.pins run > pins.txt \
    && /opt/registry/bin/pip install --no-cache-dir --no-deps --only-binary :all: --require-hashes -r pins.txt

FROM deps AS deps-lambda
RUN PYTHONPATH=scripts python3 -m tooling.pins cloud > pins.txt \
    && /opt/registry/bin/pip install --no-cache-dir --no-deps --only-binary :all: --require-hashes -r pins.txt

# code: what the registry is, compiled once here, because the user it runs as cannot write beside it.
FROM ${BASE} AS code
COPY metrics /app/metrics
COPY backend /app/backend
RUN python3 -m compileall -q /app

FROM ${BASE} AS lambda
ENV PATH=/opt/registry/bin:$PATH DATA_DIR=/tmp/registry
COPY --from=deps-lambda /opt/registry /opt/registry
COPY --from=code /app /app
WORKDIR /app
USER 10001:10001
ENTRYPOINT ["python", "-m", "awslambdaric"]
CMD ["backend.lambda_handler.handler"]

FROM ${BASE} AS server
ENV PATH=/opt/registry/bin:$PATH PYTHONUNBUFFERED=1 HOST=0.0.0.0 PORT=8000 DATA_DIR=/data
RUN install -d -o 10001 -g 10001 /data
COPY --from=deps /opt/registry /opt/registry
COPY --from=code /app /app
WORKDIR /app
USER 10001:10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import json, os, sys, urllib.request as u; \
    sys.exit(json.load(u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health', timeout=4))['status'] == 'critical')"]
CMD ["python", "-m", "backend.serve"]
