# One image for all services of docker-compose.yml: what a container does is its command.
# Nothing but image names and requirements.lock, whose hashes decide what is installed.
ARG PYTHON_VERSION=3.13

FROM python:${PYTHON_VERSION}-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/dlr
WORKDIR /src
# The packages change less often than the code: this layer is kept.
COPY requirements.lock ./
RUN /opt/dlr/bin/python -m pip install --require-hashes --only-binary :all: -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY cli cli
COPY codes codes
COPY config config
COPY infobip infobip
COPY policy policy
COPY reports reports
COPY store store
COPY webhook webhook
COPY workers workers
RUN /opt/dlr/bin/python -m pip install --no-deps --no-build-isolation --no-index . \
    && /opt/dlr/bin/python -m pip uninstall --yes pip

FROM python:${PYTHON_VERSION}-slim
LABEL org.opencontainers.image.title="dlr" \
      org.opencontainers.image.description="Delivery-report processor for messages sent through Infobip" \
      org.opencontainers.image.licenses="MIT"
# A fixed number, so that a volume made by one release belongs to the next one's user, too.
RUN groupadd --system --gid 10001 dlr \
    && useradd --system --uid 10001 --gid dlr --home-dir /var/lib/dlr --no-create-home --shell /usr/sbin/nologin dlr \
    && install --directory --owner=dlr --group=dlr --mode=0700 /var/lib/dlr
COPY --from=build /opt/dlr /opt/dlr
ENV PATH=/opt/dlr/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DLR_STATE_DIR=/var/lib/dlr \
    DLR_WEB_BIND=0.0.0.0:8080
USER 10001:10001
WORKDIR /var/lib/dlr
VOLUME /var/lib/dlr
EXPOSE 8080
# Of the endpoint, which is what runs without a command; docker-compose.yml has the other services' own.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/readyz', timeout=4)"]
CMD ["python", "-m", "webhook"]
