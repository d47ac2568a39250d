# The image of web, worker and beat: `python -m identity.serve web|worker|beat`. Debian's slim Python, locked
# dependencies, an unprivileged user, a file system that may be read-only. The stage `proxy` is Caddy for the same user.
FROM caddy:2 AS proxy
# A new volume begins as what the image has at its place. Those that Caddy's own image declares stay root's.
RUN mkdir /state && chown 10001:10001 /state
ENV XDG_DATA_HOME=/state/data XDG_CONFIG_HOME=/state/config
USER 10001:10001

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
RUN python -m venv /opt/cognate
COPY requirements/production.lock /tmp/production.lock
RUN /opt/cognate/bin/pip install --require-hashes --only-binary :all: -r /tmp/production.lock
WORKDIR /srv/cognate
COPY manage.py ./
COPY identity identity
COPY pools pools
COPY federation federation
COPY templates templates
# What `make run` starts beside us stays out: production never imports it.
RUN rm -rf identity/embedded identity/demo \
    && /opt/cognate/bin/python manage.py collectstatic --noinput \
    && /opt/cognate/bin/python -m compileall -q identity pools federation

FROM python:3.13-slim
RUN groupadd --gid 10001 cognate \
    && useradd --uid 10001 --gid cognate --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin cognate
COPY --from=build /opt/cognate /opt/cognate
COPY --from=build /srv/cognate /srv/cognate
WORKDIR /srv/cognate
ENV PATH=/opt/cognate/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=identity.settings BIND=0.0.0.0 PORT=8000 DATA_DIR=/tmp
USER 10001:10001
EXPOSE 8000
CMD ["python", "-m", "identity.serve", "web"]
