# One image for `serve`, `work` and every other command of cybercoop; see docs/operations.md.

FROM python:3.12-slim AS built
WORKDIR /build
RUN python -m venv /opt/cybercoop
# The packages change less often than the source, and come with their hashes.
COPY requirements.lock ./
RUN /opt/cybercoop/bin/pip install --no-cache-dir --require-hashes --no-deps -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY feeds ./feeds
COPY playbooks ./playbooks
COPY src ./src
RUN /opt/cybercoop/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.12-slim
# A volume that is mounted here first takes over whose the folder is.
RUN useradd --system --user-group --uid 10001 --home-dir /var/lib/cybercoop \
       --shell /usr/sbin/nologin cybercoop \
    && install --directory --mode 0700 --owner cybercoop --group cybercoop \
       /var/lib/cybercoop /var/backups/cybercoop
COPY --from=built /opt/cybercoop /opt/cybercoop
ENV PATH=/opt/cybercoop/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    CYBERCOOP_DATA=/var/lib/cybercoop \
    CYBERCOOP_LISTEN=0.0.0.0:8080
USER cybercoop
WORKDIR /var/lib/cybercoop
EXPOSE 8080
ENTRYPOINT ["cybercoop"]
CMD ["serve"]
